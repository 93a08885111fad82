#include "cli/names.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::cli {

Names::Names(const std::vector<Option>& options, bool presets,
             const std::vector<std::string>& listings)
    : options_(options), flags_(listings) {
  for (const Option& option : options) {
    flags_.push_back(option.alias);
    flags_.push_back(option.key);
    keys_.push_back(option.key);
  }
  for (const char* own :
       {"help", "config", "print-config", "print-options", "print-man", "completion", "version"}) {
    flags_.emplace_back(own);
  }
  if (presets) {
    flags_.insert(flags_.end(), {"preset", "run.preset"});
    keys_.emplace_back("run.preset");
  }
  std::vector<std::string> sorted = flags_;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  base::require(twice == sorted.end(),
                fmt::format("two options answer to --{}", twice == sorted.end() ? "" : *twice));
}

const Option* Names::find(std::string_view flag_or_key) const {
  const auto found = std::find_if(options_.begin(), options_.end(), [&](const Option& each) {
    return each.key == flag_or_key || each.alias == flag_or_key;
  });
  return found == options_.end() ? nullptr : &*found;
}

std::string Names::key_of(std::string_view flag_or_key) const {
  const bool presets = !keys_.empty() && keys_.back() == "run.preset";
  if (presets && (flag_or_key == "preset" || flag_or_key == "run.preset")) return "run.preset";
  const Option* option = find(flag_or_key);
  return option == nullptr ? "" : option->key;
}

bool Names::takes_value(std::string_view flag_or_key) const {
  if (flag_or_key == "config" || flag_or_key == "completion") return true;
  const Option* option = find(flag_or_key);
  return option == nullptr ? !key_of(flag_or_key).empty() : option->type != ValueType::kBool;
}

void refuse(std::string message, std::string hint) {
  throw base::Error(base::Code::kUsage, std::move(message), std::move(hint));
}

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 160;
  return base::printable(text.substr(0, kLongest)) + (text.size() > kLongest ? "..." : "");
}

std::string suggestion(std::string_view word, std::span<const std::string> known,
                       std::string_view dashes) {
  // Nothing is near to a text that is much longer than any name, and comparing it takes long.
  const std::string near = word.size() > 100 ? "" : base::nearest(word, known);
  return near.empty() ? "See --help all" : fmt::format("Did you mean {}{}?", dashes, near);
}

}  // namespace tenfold::cli
