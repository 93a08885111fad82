#include <cstdio>

#include "base/text.hpp"
#include "tenfold/commands.hpp"

namespace tenfold::tool {

namespace {

/// The words that may follow a command's name: its flags, and "help" takes the names.
std::string case_of(const Command& command, const std::string& names) {
  std::string flags = "--help";
  for (const Flag& each : command.line.flags) flags += " --" + each.name;
  const std::string operands = command.line.name == "help"         ? names
                               : command.line.name == "completion" ? "bash zsh"
                                                                   : "";
  return fmt::format("    {}) flags=\"{}\"; words=\"{}\";;\n", command.line.name, flags, operands);
}

std::string script(const std::string& shell) {
  std::string names, cases;
  for (const Command& each : commands()) names += (names.empty() ? "" : " ") + each.line.name;
  for (const Command& each : commands()) cases += case_of(each, names);
  const std::string body = fmt::format(
      "_tenfold_tenfold() {{\n"
      "  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" flags=\"\" words=\"\"\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"{0} --help --version\" -- \"$word\")); return\n"
      "  fi\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{1}  esac\n"
      "  case \"$word\" in\n"
      "    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"));;\n"
      "    *) if [ -n \"$words\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "       else COMPREPLY=($(compgen -f -- \"$word\")); fi;;\n"
      "  esac\n}}\n"
      "complete -o filenames -F _tenfold_tenfold tenfold\n",
      names, cases);
  return shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" + body : body;
}

base::Code run_completion(const Arguments& arguments) {
  const std::string& shell = arguments.operands.front();
  if (shell != "bash" && shell != "zsh") {
    throw base::Error(base::Code::kUsage, fmt::format("completion for '{}': only bash and zsh",
                                                      base::printable(shell)));
  }
  std::fputs(script(shell).c_str(), stdout);
  return base::Code::kOk;
}

}  // namespace

Command completion_command() {
  return {{"completion",
           "bash|zsh",
           1,
           1,
           "print what completes this tool's command line",
           "For this shell alone: source <(tenfold completion bash). `cmake --install` puts it\n"
           "where bash and zsh look. Applications print their own: ddpg --completion bash.",
           {}},
          &run_completion};
}

}  // namespace tenfold::tool
