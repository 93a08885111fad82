// The subcommands of `tenfold`, one file each.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "tenfold/arguments.hpp"

namespace tenfold::tool {

struct Command {
  CommandLine line;
  /// Returns the exit code; throws base::Error.
  base::Code (*run)(const Arguments&);
};

/// In the order of `tenfold help`.
const std::vector<Command>& commands();
/// Finds and runs the command that words[0] names. Throws Code::kUsage with the nearest name.
base::Code run_command(const std::vector<std::string>& words);

/// One line each on stderr, after what stdout has so far.
void print_warnings(const std::vector<std::string>& warnings);

Command ls_command();
Command show_command();
Command tail_command();
Command inspect_command();
Command verify_command();
Command diff_command();
Command rerun_command();
Command simulate_command();
Command doctor_command();
Command completion_command();
Command man_command();
Command help_command();

}  // namespace tenfold::tool
