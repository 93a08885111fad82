#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/names.hpp"
#include "cli/value.hpp"

namespace tenfold::cli {

namespace {

const Preset& find_preset(const std::vector<Preset>& presets, const ResolvedValue& said) {
  std::vector<std::string> names;
  for (const Preset& preset : presets) {
    if (preset.name == said.value) return preset;
    names.push_back(preset.name);
  }
  refuse(fmt::format("preset '{}' (from {}) is none of {}", shown(said.value), said.origin,
                     base::join(names, ", ")),
         suggestion(said.value, names, "--preset "));
}

void check(const Option& option, const ResolvedValue& said) {
  const std::string fault = find_fault(option, said.value);
  if (fault.empty()) return;
  // On the command line the user wrote the flag, elsewhere the key.
  const std::string name = said.origin == "command line" ? "--" + option.alias : option.key;
  refuse(fmt::format("{} = '{}' (from {}) {}", name, shown(said.value), said.origin, fault),
         fmt::format("See --help {}", option.group));
}

}  // namespace

Resolved OptionTable::resolve(std::vector<ResolvedValue> said_first_wins) const {
  const auto named =
      std::find_if(said_first_wins.begin(), said_first_wins.end(),
                   [](const ResolvedValue& each) { return each.key == "run.preset"; });
  if (!presets_.empty() && named != said_first_wins.end()) {
    const Preset& preset = find_preset(presets_, *named);
    std::erase_if(said_first_wins,
                  [](const ResolvedValue& each) { return each.key == "run.preset"; });
    for (const PresetValue& each : preset.values) {
      said_first_wins.push_back(
          {each.key, each.value, fmt::format("preset {}: {}", preset.name, each.source)});
    }
  }
  Resolved resolved;
  for (const Option& option : options_) {
    resolved.push_back({option.key, option.default_text, "default"});
    base::require(find_fault(option, option.default_text).empty(),
                  fmt::format("the default of {} is refused by its own check", option.key));
  }
  std::vector<bool> taken(options_.size(), false);
  for (const ResolvedValue& each : said_first_wins) {
    const auto option = std::find_if(options_.begin(), options_.end(),
                                     [&](const Option& one) { return one.key == each.key; });
    base::require(option != options_.end(),
                  fmt::format("a value for the unknown option {}", each.key));
    check(*option, each);
    const auto index = static_cast<std::size_t>(option - options_.begin());
    if (!taken[index]) resolved[index] = each;
    taken[index] = true;
  }
  return resolved;
}

}  // namespace tenfold::cli
