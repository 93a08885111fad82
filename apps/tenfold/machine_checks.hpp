// What `tenfold doctor` finds out about this machine.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tenfold::tool {

struct Finding {
  enum class Kind { kGood, kOptional, kMissing } kind = Kind::kGood;
  std::string subject;
  std::string what;
  std::string remedy;  ///< "" when nothing needs to be done
};

struct CommandResult {
  int status = -1;  ///< exit status; 124 when it took too long; -1 when it could not be started
  std::string output;
};
/// Runs a shell command for at most limit_s seconds; stdout and stderr together.
CommandResult run_shell(const std::string& command, int limit_s);
/// As one word for the shell.
std::string shell_word(const std::string& text);

Finding check_mpi();
Finding check_hdf5();
Finding check_rendering();
Finding check_shared_memory();
Finding check_locks();
Finding check_cores();

/// The folder above the program (or the present one) that holds jobs/packages.txt; empty: none, as
/// in an installed tree.
std::filesystem::path find_checkout();
/// One finding per line of jobs/packages.txt that is not satisfied, one for all that are.
std::vector<Finding> check_packages(const std::filesystem::path& checkout);
/// The Python of the checkout's own environment, and what requirements.txt pins.
std::vector<Finding> check_python(const std::filesystem::path& checkout);

}  // namespace tenfold::tool
