#include "env/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::env {

using base::Code;
using base::Error;

namespace {

const Setting& find(const std::string& task, const std::vector<Setting>& known,
                    const std::string& name) {
  std::vector<std::string> names;
  for (const Setting& each : known) {
    if (each.name == name) return each;
    names.push_back(each.name);
  }
  const std::string near = base::nearest(name, names);
  throw Error(Code::kUsage,
              names.empty()
                  ? fmt::format("task '{}' has no settings", base::printable(task))
                  : fmt::format("task '{}' has no setting '{}'; it has {}", base::printable(task),
                                base::printable(name), base::join(names, ", ")),
              near.empty() ? "See --list-tasks" : fmt::format("Did you mean {}?", near));
}

double number(const Setting& setting, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) ||
      value < setting.low || value > setting.high ||
      (setting.whole && value != std::round(value))) {
    throw Error(Code::kUsage,
                fmt::format("setting {}: '{}' is no {}number from {} to {}", setting.name,
                            base::printable(text), setting.whole ? "whole " : "", setting.low,
                            setting.high),
                setting.help);
  }
  return value;
}

}  // namespace

Settings::Settings(const std::string& task, const std::vector<Setting>& known,
                   const std::string& text) {
  for (const Setting& each : known) values_[each.name] = each.value;
  std::set<std::string> said;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, end - at);
    at = end + 1;
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      throw Error(Code::kUsage,
                  fmt::format("task settings: '{}' is not NAME=VALUE", base::printable(word)),
                  "Write them like cells=5,apples=3");
    }
    const Setting& setting = find(task, known, word.substr(0, equals));
    if (!said.insert(setting.name).second) {
      throw Error(Code::kUsage, fmt::format("task settings: {} comes twice", setting.name));
    }
    values_[setting.name] = number(setting, word.substr(equals + 1));
  }
}

double Settings::real(const std::string& name) const {
  const auto found = values_.find(name);
  base::require(found != values_.end(), "Settings: unknown name");
  return found->second;
}

std::int64_t Settings::whole(const std::string& name) const {
  return static_cast<std::int64_t>(real(name));
}

}  // namespace tenfold::env
