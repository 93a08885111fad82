#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/option_table.hpp"

namespace tenfold::cli {

std::string OptionTable::completion(const std::string& shell) const {
  std::string flags =
      "--help --config --print-config --print-options --print-man --completion --version";
  if (!presets_.empty()) flags += " --preset";
  for (const Option& option : options_) {
    flags += " --" + option.alias;
    if (option.type == ValueType::kBool) flags += " --no-" + option.alias;
  }
  for (const Listing& each : listings_) flags += " --" + each.flag;
  std::string cases;
  const auto offer = [&](const std::string& flag, const std::string& words) {
    cases += fmt::format("    --{}) COMPREPLY=($(compgen -W \"{}\" -- \"$word\")); return;;\n",
                         flag, words);
  };
  for (const Option& option : options_) {
    if (!option.choices.empty()) offer(option.alias, base::join(option.choices, " "));
  }
  std::string presets, topics = "all";
  for (const Preset& each : presets_) presets += (presets.empty() ? "" : " ") + each.name;
  if (!presets.empty()) offer("preset", presets);
  for (const auto& each : groups_) topics += " " + each.first;
  offer("help", topics);
  offer("completion", "bash zsh");
  std::string body = fmt::format(
      "_tenfold_{0}() {{\n  local word=\"${{COMP_WORDS[COMP_CWORD]}}\"\n"
      "  case \"${{COMP_WORDS[COMP_CWORD-1]}}\" in\n{1}  esac\n"
      "  case \"$word\" in\n    -*) COMPREPLY=($(compgen -W \"{2}\" -- \"$word\"));;\n"
      "    *) COMPREPLY=($(compgen -f -- \"$word\"));;\n  esac\n}}\n"
      "complete -o filenames -F _tenfold_{0} {0}\n",
      program_, cases, flags);
  if (shell == "bash") return body;
  if (shell == "zsh") return "autoload -U +X bashcompinit && bashcompinit\n" + body;
  throw base::Error(base::Code::kUsage,
                    fmt::format("completion for '{}': only bash and zsh", shell));
}

}  // namespace tenfold::cli
