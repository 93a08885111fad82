// JSON files of Hugging Face directories: read strictly, looked up by key with errors that name it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tenfold::nn {

/// An object of a file, and the words that name it in errors.
class JsonDocument {
 public:
  /// Reads a file of at most max_bytes that is one JSON object. Throws Code::kIo, Code::kData (not
  /// JSON in UTF-8, no object, a key given twice in one object).
  static JsonDocument read(const std::filesystem::path& path, std::size_t max_bytes = 16U << 20U);
  /// The same of text; file: the words for it.
  static JsonDocument parse(const std::string& text, std::string file);

  const nlohmann::json& json() const { return json_; }
  const std::string& file() const { return file_; }

  /// Whether key is there and not null.
  bool has(const std::string& key) const;
  /// Values, or the one given where the key is missing or null. Throw Code::kData where it is of
  /// another kind.
  std::int64_t integer(const std::string& key, std::int64_t otherwise) const;
  double number(const std::string& key, double otherwise) const;
  bool boolean(const std::string& key, bool otherwise) const;
  std::string text(const std::string& key, const std::string& otherwise) const;
  /// An integer, a list of them, or nothing.
  std::vector<std::int64_t> integers(const std::string& key) const;
  /// A list of texts, or nothing.
  std::vector<std::string> texts(const std::string& key) const;
  /// An object inside; empty where missing or null.
  JsonDocument object(const std::string& key) const;
  /// Throws Code::kData: this file's key, what about it, hint.
  [[noreturn]] void refuse(const std::string& key, const std::string& what,
                           const std::string& hint) const;

 private:
  JsonDocument(nlohmann::json json, std::string file)
      : json_(std::move(json)), file_(std::move(file)) {}
  [[noreturn]] void wrong_kind(const std::string& key, const char* wanted) const;
  /// Null where missing.
  const nlohmann::json* at(const std::string& key) const;

  nlohmann::json json_;
  std::string file_;
};

}  // namespace tenfold::nn
