// A JSON value that knows where it lies in which file, so that an error can say so.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::dataset {

/// All functions throw Code::kData naming file, field and what was found.
class JsonNode {
 public:
  /// where: the file's name. The value must outlive the node.
  JsonNode(const nlohmann::json& value, std::string where);

  bool is_null() const;
  bool is_string() const;
  bool is_object() const;
  /// A member that must be there.
  JsonNode at(std::string_view key) const;
  /// A member that may be missing or null: then nothing.
  std::optional<JsonNode> find(std::string_view key) const;
  /// Elements of an array, or members' values of an object.
  std::vector<JsonNode> elements() const;

  const std::string& text() const;
  std::int64_t integer() const;
  bool boolean() const;
  bool boolean_or(std::string_view key, bool missing) const;
  /// The member "type".
  const std::string& type() const;

  /// An object with no other members than these.
  void only(std::initializer_list<std::string_view> keys) const;
  /// Throws: "tokenizer.json: pre_tokenizer: type "X" is not supported".
  [[noreturn]] void refuse(std::string_view what, std::string_view hint = {}) const;

  const nlohmann::json& value() const { return *value_; }
  const std::string& where() const { return where_; }

 private:
  [[noreturn]] void mistyped(std::string_view expected) const;
  const nlohmann::json* value_;
  std::string where_;
};

/// Parses a JSON text. Throws Code::kData naming the file and the byte where it fails, or for more
/// than 64 brackets within each other.
nlohmann::json parse_json(std::string_view text, std::string_view file);

}  // namespace tenfold::dataset
