// What every application can be told: the run, its parallel layout, checkpoints, metrics, device.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/option_table.hpp"

namespace tenfold::train {

struct RunOptions {
  std::string run_dir;
  std::string resume = "auto";
  std::int64_t seed = 1;
  std::string seeds;
  std::int64_t ranks_per_seed = 1;
  bool dry_run = false;
  std::string stop_after;
  std::string log_level = "info";
  double progress_every = 5;
  std::int64_t virtual_shards = 8;
  std::string reduce = "ordered";
  std::int64_t threads = 0;
  std::int64_t zero = 0;
  std::string nonfinite = "stop";
  std::string checkpoint_every = "5m";
  std::string checkpoint_mtbf = "6h";
  bool checkpoint_background = true;
  std::string checkpoint_local;
  std::string checkpoint_local_every = "1m";
  std::int64_t keep_last = 2;
  std::int64_t keep_every = 0;
  std::string keep_best;
  std::int64_t metrics_every = 1000;
  double flush_every = 2;
  std::string device = "cpu";
  bool gpu_oversubscribe = false;
  double watchdog = 900;
  std::int64_t check_replicas_every = 1000;

  void declare(cli::OptionTable& table);
};

/// "10000" (steps) or "10m" (time); exactly one is set. Throws Code::kUsage naming the option.
struct StepsOrTime {
  std::optional<std::uint64_t> steps;
  std::optional<double> seconds;
};
StepsOrTime steps_or_time(const std::string& key, const std::string& text);

}  // namespace tenfold::train
