// Planner scores: what a planner and random actions get on a task, the 1 and the 0 of normalised
// returns. Kept in a file, since they take far longer to make than to read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tenfold::ddpg {

/// One task played by one method. Returns are sums of rewards per decision, as in eval/return.
struct PlannerScore {
  std::string task, method;
  std::int64_t horizon = 0;            ///< decisions per episode
  std::int64_t repeat = 0;             ///< control steps per decision
  std::int64_t terminate_on_fall = 1;  ///< 1: an episode may end early
  std::int64_t lookahead = 0;          ///< decisions that the planner sees
  std::int64_t seed = 0;
  std::string mujoco;   ///< version
  std::string command;  ///< that makes it again
  std::string git;      ///< git describe of the program
  std::string created_utc;
  std::vector<double> returns, cpu_seconds;  ///< [episodes]
  std::vector<double> random_returns;        ///< [random episodes]

  double mean() const;
  double random_mean() const;
};

/// All entries, by task and method. Throws Code::kIo when there is no such file, Code::kData with
/// the path and what is wrong when it is not a file of planner scores.
std::vector<PlannerScore> read_scores(const std::filesystem::path& path);

/// Adds the entry, or puts it in the place of the one of its task and method. The file is replaced
/// as a whole or not at all; programs that record at the same time wait for each other. Throws as
/// read_scores, and Code::kIo.
void record_score(const std::filesystem::path& path, const PlannerScore& score);

/// What a run's task is played like, to find the entry that fits.
struct PlayedTask {
  std::string task;
  std::int64_t horizon = 0, repeat = 0, terminate_on_fall = 1;
  std::string mujoco;
};

/// The 0 and the 1 of a score, or why there are none.
struct Reference {
  double random = 0, planner = 0;
  std::string method;
  std::string problem;  ///< empty when there is a reference
  /// (return - random) / (planner - random); NaN without a reference.
  double score(double episode_return) const;
};

/// Of the entries that fit, that of the method with the largest mean return.
Reference find_reference(const std::vector<PlannerScore>& scores, const PlayedTask& played);

}  // namespace tenfold::ddpg
