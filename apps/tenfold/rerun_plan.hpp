// The command that repeats a run, and what is different where it would run now.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tenfold/run_overview.hpp"

namespace tenfold::tool {

struct RerunChoice {
  std::filesystem::path program;  ///< the application, by path or by name alone
  std::filesystem::path run_dir;  ///< of the new run
  bool every_option = false;      ///< defaults too, for a program whose defaults may be others
  bool oversubscribe = false;     ///< more ranks than cores
};

/// Words of the mpirun line, one element per line that is printed: the program, then one option
/// with its value each. Options stand under their full names; of those that say where and how long
/// a run goes (run.dir, run.stop-after, run.dry-run) only the new folder is given.
std::vector<std::string> rerun_words(const RunOverview& run, const RerunChoice& choice);

/// What `APP --version` says, under the manifest's names (version, git_commit, dep.mpi, ...,
/// cpu_capability); entries that it does not name are missing.
std::map<std::string, std::string> parse_version_text(const std::string& text);

/// One sentence for each fact of the manifest that is another here.
std::vector<std::string> rerun_warnings(const RunOverview& run,
                                        const std::map<std::string, std::string>& here,
                                        unsigned cores);

}  // namespace tenfold::tool
