#include "dataset/tokenizer/json_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::dataset {

using Json = nlohmann::json;

JsonNode::JsonNode(const Json& value, std::string where)
    : value_(&value), where_(std::move(where)) {}

bool JsonNode::is_null() const {
  return value_->is_null();
}
bool JsonNode::is_string() const {
  return value_->is_string();
}
bool JsonNode::is_object() const {
  return value_->is_object();
}

JsonNode JsonNode::at(std::string_view key) const {
  if (!is_object()) mistyped("an object");
  const auto found = value_->find(std::string(key));
  if (found == value_->end()) refuse(fmt::format("member \"{}\" is missing", key));
  return {*found, fmt::format("{}: {}", where_, key)};
}

std::optional<JsonNode> JsonNode::find(std::string_view key) const {
  if (!is_object()) mistyped("an object");
  const auto found = value_->find(std::string(key));
  if (found == value_->end() || found->is_null()) return std::nullopt;
  return JsonNode(*found, fmt::format("{}: {}", where_, key));
}

std::vector<JsonNode> JsonNode::elements() const {
  if (!value_->is_array()) mistyped("an array");
  std::vector<JsonNode> all;
  all.reserve(value_->size());
  for (const Json& element : *value_) {
    all.emplace_back(element, fmt::format("{}[{}]", where_, all.size()));
  }
  return all;
}

const std::string& JsonNode::text() const {
  if (!is_string()) mistyped("a string");
  return value_->get_ref<const std::string&>();
}

std::int64_t JsonNode::integer() const {
  if (!value_->is_number_integer()) mistyped("an integer");
  return value_->get<std::int64_t>();
}

bool JsonNode::boolean() const {
  if (!value_->is_boolean()) mistyped("true or false");
  return value_->get<bool>();
}

bool JsonNode::boolean_or(std::string_view key, bool missing) const {
  const std::optional<JsonNode> member = find(key);
  return member ? member->boolean() : missing;
}

const std::string& JsonNode::type() const {
  return at("type").text();
}

void JsonNode::only(std::initializer_list<std::string_view> keys) const {
  if (!is_object()) mistyped("an object");
  for (const auto& [key, member] : value_->items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      refuse(fmt::format("member \"{}\" is not known", base::printable(key)));
    }
  }
}

void JsonNode::refuse(std::string_view what, std::string_view hint) const {
  throw base::Error(base::Code::kData, fmt::format("{}: {}", where_, what), std::string(hint));
}

void JsonNode::mistyped(std::string_view expected) const {
  refuse(fmt::format("expected {}, found {}", expected, value_->type_name()));
}

namespace {

constexpr int kDeepest = 64;

// Brackets within brackets, outside of strings. Readers go down by recursion.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDeepest) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view file) {
  if (too_deep(text)) {
    throw base::Error(base::Code::kData,
                      fmt::format("{}: more than {} brackets within each other", file, kDeepest));
  }
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& error) {
    throw base::Error(base::Code::kData,
                      fmt::format("{}: not valid JSON: {}", file, base::printable(error.what())));
  }
}

}  // namespace tenfold::dataset
