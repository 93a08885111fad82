#include "cli/partners.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/names.hpp"
#include "cli/value.hpp"

namespace tenfold::cli {

namespace {

const Option& option_of(const std::vector<Option>& options, const std::string& key) {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const Option& each) { return each.key == key; });
  base::require(found != options.end(), fmt::format("there is no option {}", key));
  return *found;
}

const ResolvedValue& value_of(const Resolved& resolved, const std::string& key) {
  const auto found = std::find_if(resolved.begin(), resolved.end(),
                                  [&](const ResolvedValue& each) { return each.key == key; });
  base::require(found != resolved.end(), fmt::format("{} was not resolved", key));
  return *found;
}

bool equals_default(const Option& option, const std::string& text) {
  if (option.type == ValueType::kText) return text == option.default_text;
  if (option.type == ValueType::kBool) return to_bool(text) == to_bool(option.default_text);
  if (option.type == ValueType::kIntegerList) return to_list(text) == to_list(option.default_text);
  return to_real(text) == to_real(option.default_text);
}

bool is_there(const Partner& partner, const std::string& value) {
  if (partner.words.empty()) return !value.empty();
  return std::find(partner.words.begin(), partner.words.end(), value) != partner.words.end();
}

}  // namespace

std::string partner_text(const Option& option, const std::vector<Option>& options) {
  const Partner& partner = option.partner.value();
  std::string text = "--" + option_of(options, partner.key).alias;
  if (!partner.words.empty()) text += " " + base::join(partner.words, " or ");
  return text;
}

void leave_out_idle_presets(const std::vector<Option>& options, Resolved& resolved) {
  for (ResolvedValue& each : resolved) {
    if (!each.origin.starts_with("preset ")) continue;
    const Option& option = option_of(options, each.key);
    if (!option.partner) continue;
    const std::string other = value_of(resolved, option.partner->key).value;
    if (!is_there(*option.partner, other)) each = {each.key, option.default_text, "default"};
  }
}

void refuse_without_partner(const std::vector<Option>& options, const Resolved& resolved,
                            const std::vector<std::string>& said_keys) {
  for (const std::string& key : said_keys) {
    if (key == "run.preset") continue;  // no option of the table
    const Option& option = option_of(options, key);
    if (!option.partner) continue;
    const ResolvedValue& said = value_of(resolved, key);
    const ResolvedValue& other = value_of(resolved, option.partner->key);
    if (equals_default(option, said.value) || is_there(*option.partner, other.value)) continue;
    const std::string name = said.origin == "command line" ? "--" + option.alias : option.key;
    const std::string partner = partner_text(option, options);
    refuse(
        fmt::format(
            "{} = '{}' (from {}) changes nothing without {}{}", name, shown(said.value),
            said.origin, partner,
            other.value.empty() ? "" : fmt::format(": {} is '{}'", other.key, shown(other.value))),
        fmt::format("Add {}, or leave {} out", partner, name));
  }
}

}  // namespace tenfold::cli
