#include <algorithm>
#include <cctype>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/option_table.hpp"
#include "cli/partners.hpp"
#include "cli/roff.hpp"
#include "cli/value.hpp"

namespace tenfold::cli {

namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string value_word(const Option& option) {
  switch (option.type) {
    case ValueType::kBool:
      return "";
    case ValueType::kInteger:
      return "N";
    case ValueType::kReal:
      return "X";
    case ValueType::kIntegerList:
      return "NxN";
    case ValueType::kText:
      return option.choices.empty() ? "TEXT" : "WORD";
  }
  return "";
}

std::string tagged(const std::string& flag, const std::string& value, const std::string& text) {
  const std::string argument = value.empty() ? "" : " \\fI" + roff(value) + "\\fR";
  return ".TP\n\\fB" + roff(flag) + "\\fR" + argument + "\n" + roff(text) + "\n";
}

std::string option_entry(const Option& option, const std::vector<Option>& options) {
  const bool is_switch = option.type == ValueType::kBool;
  std::string text = option.help + ".";
  if (!is_switch) text += " Takes " + describe_domain(option) + ".";
  text +=
      option.default_text.empty() ? " Default: none." : " Default: " + option.default_text + ".";
  if (option.partner) text += " Only with " + partner_text(option, options) + ".";
  if (option.key != option.group + "." + option.alias) text += " In files: " + option.key + ".";
  if (!option.affects_results) text += " Results do not depend on it.";
  std::string flags = "--" + option.alias;
  if (is_switch) flags += ", --no-" + option.alias;
  return tagged(flags, value_word(option), text);
}

std::string preset_entry(const Preset& preset) {
  std::string text =
      ".TP\n\\fB" + roff("--preset " + preset.name) + "\\fR\n" + roff(preset.summary + ".") + "\n";
  for (const PresetValue& each : preset.values) {
    text += ".br\n" + roff(fmt::format("{} = {} ({})", each.key, each.value, each.source)) + "\n";
  }
  return text;
}

constexpr const char* kSources =
    "Strongest first: the command line (\\fB\\-\\-\\fIflag\\fR or \\fB\\-\\-\\fIgroup.name\\fR, "
    "\\fB\\-\\-no\\-\\fIflag\\fR for false), environment variables (TENFOLD_GROUP__NAME, dashes as "
    "underscores), the file of \\fB\\-\\-config\\fR, \\fB\\-\\-preset\\fR, defaults.\n";

struct ExitCode {
  const char* code;
  const char* meaning;
};
constexpr ExitCode kExitCodes[] = {{"0", "done"},
                                   {"1", "a bug in Tenfold"},
                                   {"2", "usage: option, configuration, run directory in use"},
                                   {"3", "bad input data"},
                                   {"4", "input or output: disk full, no permission"},
                                   {"5", "numeric: a gradient is not finite"},
                                   {"6", "no usable checkpoint"},
                                   {"75", "stopped with a checkpoint: run the same command again"},
                                   {"124", "the watchdog found that nothing moved"}};

}  // namespace

std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else {
      out += c;
    }
  }
  return out;
}

std::string roff_head(std::string_view program, std::string_view version) {
  return fmt::format(".TH {} 1 \"\" \"Tenfold {}\" \"Tenfold\"\n", roff(upper(program)),
                     roff(version));
}

std::string OptionTable::man_page() const {
  std::string text = roff_head(program_, TENFOLD_VERSION);
  text += ".SH NAME\n" + roff(program_) + " \\- " + roff(summary_) + "\n";
  text += ".SH SYNOPSIS\n\\fBmpirun \\-n\\fR \\fIRANKS\\fR \\fB" + roff(program_) +
          "\\fR [\\fIoptions\\fR]\n";
  text += ".SH OPTIONS\n" + std::string(kSources);
  for (const auto& [name, title] : groups_) {
    std::string entries;
    for (const Option& option : options_) {
      if (option.group == name) entries += option_entry(option, options_);
    }
    if (!entries.empty()) text += ".SS " + roff(title) + "\n" + entries;
  }
  text += ".SS This program\n";
  text += tagged("--config", "FILE", "Options from a file.");
  text += tagged("--help", "[all|GROUP]", "The common options, all, or those of one group.");
  text += tagged("--print-config", "", "Every value with its origin, as a config file.");
  text += tagged("--print-options", "", "All options as JSON, for tools.");
  text += tagged("--print-man", "", "This page.");
  text += tagged("--completion", "SHELL", "Completion of this command line for bash or zsh.");
  for (const Listing& each : listings_) text += tagged("--" + each.flag, "", each.help + ".");
  text += tagged("--version", "", "Versions of this and what it is built on.");
  if (!presets_.empty()) {
    text += ".SH PRESETS\n";
    for (const Preset& each : presets_) text += preset_entry(each);
  }
  text += ".SH EXIT STATUS\n";
  for (const ExitCode& each : kExitCodes) text += tagged(each.code, "", each.meaning);
  return text + ".SH SEE ALSO\n.BR tenfold (1),\n.BR mpirun (1)\n";
}

}  // namespace tenfold::cli
