// Several seeds of one configuration in one job: each seed is a run of its own, on ranks of its
// own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/option_table.hpp"
#include "comm/communicator.hpp"

namespace tenfold::train {

/// "1:5" (both ends included), "7", or both in a list ("1:3,10"). Throws Code::kUsage: no number, a
/// seed beyond 32 bits, one that is named twice, more than 100 000.
std::vector<std::uint32_t> parse_seeds(const std::string& text);

/// What several seeds were told, as one of them would be told alone: no run.seeds, run.dir the
/// folder seed-N of folder, and so with the options that are one_a_seed and not empty, in their
/// own.
cli::Resolved resolved_for_seed(const cli::OptionTable& table, cli::Resolved of_all,
                                const std::filesystem::path& folder, std::uint32_t seed);

/// What became of one seed's run.
struct SeedResult {
  std::uint32_t seed = 0;
  int code = 0;      ///< as a process exit code
  bool run = false;  ///< false: not begun, since the job was told to stop
};

/// Cuts world into groups of ranks_per_seed neighbouring ranks; group g runs seeds g, g + groups,
/// ... one after the other with body(group, seed), which returns an exit code. 75 for a reason that
/// holds for the whole job (stop_all) leaves the group's later seeds unbegun. Collective; returns
/// the results of all seeds, in order, on every rank. Throws Code::kUsage when ranks_per_seed does
/// not divide the ranks.
std::vector<SeedResult> run_seeds(
    const comm::Communicator& world, const std::vector<std::uint32_t>& seeds,
    std::int64_t ranks_per_seed,
    const std::function<int(const comm::Communicator& group, std::uint32_t seed)>& body,
    bool stop_all);

/// The job's exit code: that of the first seed that failed, else 75 when one stopped or did not
/// begin, else 0.
int code_of_all(const std::vector<SeedResult>& results);

}  // namespace tenfold::train
