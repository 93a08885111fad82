#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/names.hpp"
#include "cli/partners.hpp"
#include "cli/value.hpp"

namespace tenfold::cli {

namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kColumn = 26;  // where descriptions begin

std::string wrap(const std::string& text, std::size_t indent) {
  std::string out;
  std::size_t used = indent;
  for (const std::string& word : base::split(text, ' ')) {
    if (used > indent && used + 1 + word.size() > kWidth) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    }
    if (used > indent) {
      out += ' ';
      ++used;
    }
    out += word;
    used += word.size();
  }
  return out;
}

std::string entry(const std::string& flag, const std::string& text) {
  std::string line = "  " + flag;
  if (line.size() + 1 > kColumn) {
    line += "\n" + std::string(kColumn, ' ');
  } else {
    line.resize(kColumn, ' ');
  }
  return line + wrap(text, kColumn) + "\n";
}

std::string value_name(const Option& option) {
  switch (option.type) {
    case ValueType::kBool:
      return "";
    case ValueType::kInteger:
      return " N";
    case ValueType::kReal:
      return " X";
    case ValueType::kIntegerList:
      return " NxN";
    case ValueType::kText:
      return option.choices.empty() ? " TEXT" : " WORD";
  }
  return "";
}

std::string describe(const Option& option) {
  std::string text = option.help;
  if (!option.choices.empty()) text += " (" + base::join(option.choices, ", ") + ")";
  if (option.default_text.empty()) return text;
  return text +
         fmt::format(" [{}{}{}]", option.default_text, option.unit.empty() ? "" : " ", option.unit);
}

std::string describe_fully(const Option& option, const std::vector<Option>& options) {
  std::string text =
      option.help + " [" + (option.default_text.empty() ? "empty" : option.default_text);
  if (option.type != ValueType::kBool) text += "; " + describe_domain(option);
  if (option.partner) text += "; only with " + partner_text(option, options);
  if (option.key != option.group + "." + option.alias) text += "; in files " + option.key;
  return text + "]";
}

std::string preset_names(const std::vector<Preset>& presets) {
  std::vector<std::string> names;
  names.reserve(presets.size());
  for (const Preset& preset : presets) names.push_back(preset.name);
  return base::join(names, ", ");
}

std::string presets_text(const std::vector<Preset>& presets) {
  std::string text;
  for (const Preset& preset : presets) {
    text +=
        fmt::format("\n{}\n", wrap(fmt::format("--preset {}: {}", preset.name, preset.summary), 0));
    for (const PresetValue& each : preset.values) {
      text += entry(fmt::format("{} = {}", each.key, each.value), each.source);
    }
  }
  return text;
}

constexpr const char* kSources =
    "Strongest first: command line (--flag or --group.name; --no-flag for false), environment "
    "(TENFOLD_GROUP__NAME, dashes as underscores), --config, --preset, defaults.";

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 bug, 2 usage, 3 bad input data, 4 I/O, 5 numeric, 6 no usable "
    "checkpoint, "
    "75 stopped with a checkpoint (run me again), 124 watchdog.";

constexpr const char* kMore =
    "More: --help all, --help GROUP, apps/{}/README.md, docs/architecture.md.";

}  // namespace

std::string OptionTable::help_text(const std::string& topic) const {
  const bool everything = topic == "all";
  std::vector<std::string> topics{"all"};
  for (const auto& each : groups_) topics.push_back(each.first);
  if (!presets_.empty()) topics.emplace_back("preset");
  if (!topic.empty() && std::find(topics.begin(), topics.end(), topic) == topics.end()) {
    const std::string near = topic.size() > 100 ? "" : base::nearest(topic, topics);
    throw base::Error(base::Code::kUsage, fmt::format("--help {}: no such group", shown(topic)),
                      near.empty() ? "Groups: " + base::join(topics, ", ")
                                   : fmt::format("Did you mean --help {}?", near));
  }
  std::string text = wrap(program_ + ": " + summary_, 0);
  text += fmt::format("\nmpirun -n RANKS {} [options]\n", program_);
  if (topic.empty()) text += "\n";
  for (const auto& [name, title] : groups_) {
    if (!topic.empty() && !everything && topic != name) continue;
    std::string entries;
    for (const Option& option : options_) {
      if (option.group != name || (topic.empty() && !option.common)) continue;
      entries += entry("--" + option.alias + value_name(option),
                       topic.empty() ? describe(option) : describe_fully(option, options_));
    }
    if (entries.empty()) continue;
    // Plain --help has to fit one screen, so its groups stand without space between them.
    text += topic.empty() ? fmt::format("{}\n{}", title, entries)
                          : fmt::format("\n{} (--help {})\n{}", title, name, entries);
  }
  if (everything || topic == "preset") text += presets_text(presets_);
  return text + footer(everything);
}

std::string OptionTable::footer(bool everything) const {
  std::string text = "\nThis program\n";
  if (!presets_.empty()) {
    text += entry("--preset WORD",
                  "values set together (" + preset_names(presets_) + "); see --help preset");
  }
  text += entry("--config FILE", "options from a file; see --print-config");
  text += entry("--help [all|GROUP]", "all options, or those of one group");
  text += entry("--print-config", "every value with its origin, as a config file");
  for (const Listing& each : listings_) text += entry("--" + each.flag, each.help);
  if (everything) {
    text += entry("--print-options", "all options as JSON, for tools");
    text += entry("--print-man", "the manual page, for man -l");
    text += entry("--completion SHELL", "completion for bash or zsh: source <(... bash)");
  }
  text += entry("--version", "versions of this and what it is built on");
  if (everything) text += "\n" + wrap(kSources, 0) + "\n";
  text += "\n" + wrap(kExitCodes, 0) + "\n";
  return text + wrap(fmt::format(kMore, program_), 0) + "\n";
}

}  // namespace tenfold::cli
