#include <cstdio>

#include "base/text.hpp"
#include "tenfold/commands.hpp"

namespace tenfold::tool {

namespace {

constexpr const char* kExitCodes =
    "\nexit codes: 0 done, 1 different (diff), 2 wrong usage, 3 bad data (no such run,\n"
    "not a run, damaged), 4 input/output, or something missing (doctor), 6 checkpoint\n"
    "unusable (verify, inspect, diff)\n";

base::Code run_help(const Arguments& arguments) {
  if (!arguments.operands.empty()) {
    return run_command({arguments.operands.front(), "--help"});
  }
  std::string text =
      "usage: tenfold COMMAND ...\n\nlooks at runs, checkpoints and this machine; needs no "
      "mpirun\n\n";
  for (const Command& each : commands()) {
    text +=
        fmt::format("  {:<28} {}\n", each.line.name + " " + each.line.operands, each.line.summary);
  }
  text += kExitCodes;
  std::fputs(text.c_str(), stdout);
  return base::Code::kOk;
}

}  // namespace

Command help_command() {
  return {{"help", "[COMMAND]", 0, 1, "what the commands do", "", {}}, &run_help};
}

}  // namespace tenfold::tool
