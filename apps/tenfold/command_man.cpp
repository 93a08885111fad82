#include <cctype>
#include <cstdio>

#include "base/text.hpp"
#include "cli/roff.hpp"
#include "tenfold/commands.hpp"

namespace tenfold::tool {

namespace {

std::string flag_entry(const Flag& flag) {
  std::string names = "--" + flag.name;
  if (flag.letter != 0) names = fmt::format("-{}, ", flag.letter) + names;
  const std::string value = flag.value.empty() ? "" : " \\fI" + cli::roff(flag.value) + "\\fR";
  return ".TP\n\\fB" + cli::roff(names) + "\\fR" + value + "\n" + cli::roff(flag.help) + "\n";
}

std::string command_entry(const CommandLine& line) {
  std::string text = ".SS " + cli::roff("tenfold " + line.name) + "\n";
  text += "\\fBtenfold " + cli::roff(line.name) + "\\fR" +
          (line.flags.empty() ? "" : " [\\fIoptions\\fR]") +
          (line.operands.empty() ? "" : " \\fI" + cli::roff(line.operands) + "\\fR") + "\n.PP\n";
  std::string summary = line.summary;
  summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
  text += cli::roff(summary + ".") + "\n";
  if (!line.details.empty()) text += cli::roff(line.details) + "\n";
  for (const Flag& each : line.flags) text += flag_entry(each);
  return text;
}

constexpr const char* kEnd =
    ".SH EXIT STATUS\n"
    ".TP\n\\fB0\\fR\ndone; diff: equal\n"
    ".TP\n\\fB1\\fR\ndiff: different; else a bug in Tenfold\n"
    ".TP\n\\fB2\\fR\nwrong usage\n"
    ".TP\n\\fB3\\fR\nbad data: no such run, not a run, damaged\n"
    ".TP\n\\fB4\\fR\ninput or output; doctor: something needed is missing\n"
    ".TP\n\\fB6\\fR\na checkpoint cannot be used\n"
    ".SH SEE ALSO\n.BR ddpg (1)\n";

base::Code run_man(const Arguments& /*arguments*/) {
  std::string text = cli::roff_head("tenfold", TENFOLD_VERSION);
  text += ".SH NAME\ntenfold \\- look at runs, checkpoints and this machine\n";
  text += ".SH SYNOPSIS\n\\fBtenfold\\fR \\fICOMMAND\\fR ...\n";
  text +=
      ".SH DESCRIPTION\nThe offline tool of Tenfold: reads what runs left on disk, also while\n"
      "they run, and changes nothing. Needs no mpirun.\n.SH COMMANDS\n";
  for (const Command& each : commands()) text += command_entry(each.line);
  std::fputs((text + kEnd).c_str(), stdout);
  return base::Code::kOk;
}

}  // namespace

Command man_command() {
  return {{"man",
           "",
           0,
           0,
           "print this tool's manual page",
           "To read it: tenfold man | man -l -. `cmake --install` puts it where man looks.\n"
           "Applications print their own: ddpg --print-man.",
           {}},
          &run_man};
}

}  // namespace tenfold::tool
