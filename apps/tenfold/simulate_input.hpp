// What `tenfold simulate` is told: networks as text, models from tables, checkpoints and runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tenfold/scaling_model.hpp"

namespace tenfold::tool {

/// "5us", "2ms", "0.1s" or seconds. Throws Code::kUsage naming the flag.
double parse_seconds(const std::string& flag, const std::string& text);
/// "40GB/s", "1.5TB/s" or seconds per byte. Throws Code::kUsage naming the flag.
double parse_seconds_per_byte(const std::string& flag, const std::string& text);
/// "ALPHA,BETA[,GAMMA]" into net->between and seconds_per_reduced.
void parse_net(const std::string& text, Network* net);
/// "RANKS,ALPHA,BETA" into net->ranks_per_node and inside.
void parse_node(const std::string& text, Network* net);
/// "1..4096": powers of two; "1,2,6": these. Throws Code::kUsage.
std::vector<std::uint64_t> parse_ranks(const std::string& text);

/// Parameters that are trained, per gradient that is summed on its own.
struct ModelSize {
  std::vector<double> parameters;
  std::string source;  ///< for people
  double total() const;
};
/// A table with lines "name,400x17" (or a count); a checkpoint or the newest one of a run, where
/// what has Adam moments is what is trained, one gradient per network. Throws Code::kData.
ModelSize read_model(const std::filesystem::path& path);

/// A run on one rank that was measured.
struct MeasuredRun {
  ModelSize model;
  double update_seconds = 0;  ///< the quantile that was asked for, of perf/update_seconds
  double shards_per_rank = 1;
  bool ordered = false;  ///< --reduce ordered
};
/// Throws Code::kData: more than one rank, no such metric, no checkpoint.
MeasuredRun read_measured(const std::filesystem::path& run, double quantile);
/// Between neighbours, as numpy does. values is not empty, quantile in [0, 1].
double quantile_of(std::vector<double> values, double quantile);

}  // namespace tenfold::tool
