#include "nn/huggingface/json_document.hpp"

#include <unordered_set>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace tenfold::nn {

namespace {

constexpr int kDeepest = 32;

[[noreturn]] void refuse_file(const std::string& file, const std::string& what) {
  throw base::Error(base::Code::kData, fmt::format("{}: {}", file, what),
                    "Correct the file, or copy or export it again");
}

std::string shortened(const std::string& text) {
  return base::printable(text.substr(0, 200));
}

}  // namespace

JsonDocument JsonDocument::read(const std::filesystem::path& path, std::size_t max_bytes) {
  return parse(base::read_text(path, max_bytes), path.string());
}

JsonDocument JsonDocument::parse(const std::string& text, std::string file) {
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::unordered_set<std::string>> open;
  const auto watch = [&](int depth, Event event, nlohmann::json& value) {
    // What looks at a document or copies it calls itself for each level.
    if (depth > kDeepest) refuse_file(file, fmt::format("more than {} levels deep", kDeepest));
    if (event == Event::object_start) open.emplace_back();
    if (event == Event::object_end) open.pop_back();
    if (event == Event::key && !open.back().insert(value.get<std::string>()).second) {
      refuse_file(file, fmt::format("'{}' is given twice", shortened(value.get<std::string>())));
    }
    return true;
  };
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    refuse_file(file, fmt::format("not JSON in UTF-8: {}", shortened(error.what())));
  }
  if (!json.is_object()) refuse_file(file, "not a JSON object");
  return {std::move(json), std::move(file)};
}

const nlohmann::json* JsonDocument::at(const std::string& key) const {
  const auto place = json_.find(key);
  return place == json_.end() || place->is_null() ? nullptr : &*place;
}

bool JsonDocument::has(const std::string& key) const {
  return at(key) != nullptr;
}

void JsonDocument::wrong_kind(const std::string& key, const char* wanted) const {
  refuse(key, fmt::format("must be {}, is {}", wanted, shortened(at(key)->dump())),
         "Correct the file");
}

std::int64_t JsonDocument::integer(const std::string& key, std::int64_t otherwise) const {
  const nlohmann::json* value = at(key);
  if (value == nullptr) return otherwise;
  const bool large = value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX;
  if (!value->is_number_integer() || large) wrong_kind(key, "a whole number");
  return value->get<std::int64_t>();
}

double JsonDocument::number(const std::string& key, double otherwise) const {
  const nlohmann::json* value = at(key);
  if (value == nullptr) return otherwise;
  if (!value->is_number()) wrong_kind(key, "a number");
  return value->get<double>();
}

bool JsonDocument::boolean(const std::string& key, bool otherwise) const {
  const nlohmann::json* value = at(key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) wrong_kind(key, "true or false");
  return value->get<bool>();
}

std::string JsonDocument::text(const std::string& key, const std::string& otherwise) const {
  const nlohmann::json* value = at(key);
  if (value == nullptr) return otherwise;
  if (!value->is_string()) wrong_kind(key, "text");
  return value->get<std::string>();
}

std::vector<std::int64_t> JsonDocument::integers(const std::string& key) const {
  const nlohmann::json* value = at(key);
  if (value == nullptr) return {};
  if (!value->is_array()) return {integer(key, 0)};
  std::vector<std::int64_t> list;
  for (const nlohmann::json& each : *value) {
    if (!each.is_number_integer()) wrong_kind(key, "a whole number or a list of them");
    list.push_back(each.get<std::int64_t>());
  }
  return list;
}

std::vector<std::string> JsonDocument::texts(const std::string& key) const {
  const nlohmann::json* value = at(key);
  if (value == nullptr) return {};
  if (!value->is_array()) wrong_kind(key, "a list of texts");
  std::vector<std::string> list;
  for (const nlohmann::json& each : *value) {
    if (!each.is_string()) wrong_kind(key, "a list of texts");
    list.push_back(each.get<std::string>());
  }
  return list;
}

JsonDocument JsonDocument::object(const std::string& key) const {
  const nlohmann::json* value = at(key);
  if (value == nullptr) return {nlohmann::json::object(), fmt::format("{}: {}", file_, key)};
  if (!value->is_object()) wrong_kind(key, "an object");
  return {*value, fmt::format("{}: {}", file_, key)};
}

void JsonDocument::refuse(const std::string& key, const std::string& what,
                          const std::string& hint) const {
  throw base::Error(base::Code::kData, fmt::format("{}: {} {}", file_, shortened(key), what), hint);
}

}  // namespace tenfold::nn
