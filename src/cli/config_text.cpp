#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/partners.hpp"
#include "cli/sources.hpp"
#include "cli/value.hpp"

namespace tenfold::cli {

std::string OptionTable::config_text(const Resolved& resolved) const {
  std::string text = fmt::format("# {}: every option and where its value comes from\n", program_);
  std::string group;
  for (const Option& option : options_) {
    for (const ResolvedValue& each : resolved) {
      if (each.key != option.key) continue;
      if (option.group != group) text += fmt::format("\n[{}]\n", group = option.group);
      const std::string line =
          fmt::format("{} = {}", option.key.substr(option.group.size() + 1), quote(each.value));
      text += fmt::format("{:<40} # {}\n", line, each.origin);
    }
  }
  return text;
}

std::string OptionTable::json_text() const {
  nlohmann::ordered_json table = nlohmann::ordered_json::array();
  for (const Option& option : options_) {
    table.push_back({{"key", option.key},
                     {"flag", "--" + option.alias},
                     {"group", option.group},
                     {"default", option.default_text},
                     {"takes", describe_domain(option)},
                     {"unit", option.unit},
                     {"choices", option.choices},
                     {"help", option.help},
                     {"only_with", option.partner ? partner_text(option, options_) : ""},
                     {"common", option.common},
                     {"affects_results", option.affects_results}});
  }
  nlohmann::ordered_json presets = nlohmann::ordered_json::object();
  for (const Preset& preset : presets_) {
    for (const PresetValue& each : preset.values) {
      presets[preset.name][each.key] = {{"value", each.value}, {"source", each.source}};
    }
  }
  return nlohmann::ordered_json{{"program", program_}, {"options", table}, {"presets", presets}}
             .dump(1) +
         "\n";
}

}  // namespace tenfold::cli
