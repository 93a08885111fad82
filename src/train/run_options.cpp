#include "train/run_options.hpp"

#include <charconv>

#include "base/error.hpp"
#include "train/seed_sweep.hpp"

namespace tenfold::train {

namespace {

std::string check_steps_or_time(const std::string& text) {
  if (text.empty()) return "";
  try {
    steps_or_time("", text);
  } catch (const base::Error&) {
    return "is neither a number of steps (20000) nor a time (90s, 15m, 2h)";
  }
  return "";
}

std::string check_local_every(const std::string& text) {
  return text.empty() ? "is empty: give a number of steps (2000) or a time (1m)"
                      : check_steps_or_time(text);
}

std::string check_schedule(const std::string& text) {
  return text == "auto" || check_steps_or_time(text).empty()
             ? ""
             : "is neither a number of steps (20000) nor a time (90s, 15m, 2h) nor auto";
}

std::string check_seeds(const std::string& text) {
  if (text.empty()) return "";
  try {
    parse_seeds(text);
  } catch (const base::Error& error) {
    return "is no list of seeds: " + error.message();
  }
  return "";
}

}  // namespace

StepsOrTime steps_or_time(const std::string& key, const std::string& text) {
  StepsOrTime result;
  std::uint64_t steps = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), steps);
  if (error == std::errc() && end == text.data() + text.size() && steps > 0) {
    result.steps = steps;
  } else if (const auto seconds = cli::parse_duration(text); seconds && *seconds > 0) {
    result.seconds = seconds;
  } else {
    throw base::Error(base::Code::kUsage,
                      fmt::format("{}: '{}' is neither a number of steps (20000) nor a time (90s, "
                                  "15m, 2h)",
                                  key, text));
  }
  return result;
}

void RunOptions::declare(cli::OptionTable& table) {
  table.group("run", "Run");
  table.add("run.dir", &run_dir, "run directory; made when missing, else gone on with")
      .alias("run-dir")
      .common()
      .not_a_result();
  table
      .add("run.resume", &resume,
           "auto (newest good checkpoint), none, or the path of a run or checkpoint")
      .common()
      .not_a_result();
  table.add("run.seed", &seed, "seed of every random stream").range(0, 4294967295.0).common();
  table
      .add("run.seeds", &seeds,
           "one run for each of these (0:31, or 1:3,10), in folders seed-N of --run-dir")
      .check(check_seeds)
      .not_a_result();
  table.add("run.ranks-per-seed", &ranks_per_seed, "ranks that share a run")
      .range(1, 1e6)
      .only_with("run.seeds")
      .not_a_result();
  table.add("run.dry-run", &dry_run, "build everything, take one step, write nothing, leave")
      .common()
      .not_a_result();
  table
      .add("run.stop-after", &stop_after,
           "stop with a checkpoint and exit code 75 after this many steps or this time")
      .check(check_steps_or_time)
      .common()
      .not_a_result();
  table.add("run.log-level", &log_level, "what rank 0 prints")
      .choices({"debug", "info", "warning", "error"})
      .not_a_result();
  table.add("run.progress-every", &progress_every, "time between progress lines")
      .unit("s")
      .range(0.1, 86400)
      .not_a_result();

  table.group("parallel", "Parallel");
  table
      .add("parallel.virtual-shards", &virtual_shards,
           "data streams that the results depend on; the number of ranks must divide it")
      .range(1, 65536)
      .common();
  table
      .add("parallel.reduce", &reduce,
           "ordered and fixed: same bits on any number of ranks; fast: one all-reduce")
      .choices({"fast", "ordered", "fixed"})
      .common();
  table
      .add("parallel.threads", &threads,
           "threads of LibTorch per rank; 0: OMP_NUM_THREADS, else the rank's share of cores")
      .range(0, 1024)
      .not_a_result();

  table
      .add("parallel.zero", &zero,
           "1: ZeRO-1, ranks share the optimizer's state instead of each holding all of it")
      .range(0, 1);
  table
      .add("parallel.nonfinite", &nonfinite,
           "a gradient that is not finite: stop (exit code 5), or skip the update and count it")
      .choices({"stop", "skip"});

  table.group("checkpoint", "Checkpoints");
  table
      .add("checkpoint.every", &checkpoint_every,
           "steps (20000), time (5m), or auto: by their cost and --mtbf")
      .alias("checkpoint-every")
      .check(check_schedule)
      .common()
      .not_a_result();
  table.add("checkpoint.mtbf", &checkpoint_mtbf, "mean time between failures of the job, for auto")
      .check(check_steps_or_time)
      .not_a_result();
  table
      .add("checkpoint.background", &checkpoint_background,
           "copy the state and write it while the run goes on; false: no copy, the run waits")
      .alias("checkpoint-background")
      .not_a_result();
  table
      .add("checkpoint.local", &checkpoint_local,
           "also write each rank's part to this folder of its own node (NVMe, /dev/shm)")
      .alias("checkpoint-local")
      .not_a_result();
  table
      .add("checkpoint.local-every", &checkpoint_local_every,
           "steps (2000) or time (1m) between node-local checkpoints")
      .alias("checkpoint-local-every")
      .check(check_local_every)
      .only_with("checkpoint.local")
      .not_a_result();
  table.add("checkpoint.keep-last", &keep_last, "newest checkpoints that are kept")
      .range(1, 1e6)
      .not_a_result();
  table.add("checkpoint.keep-every", &keep_every, "also keep steps divisible by this; 0: none")
      .range(0, 9e15)
      .unit("steps")
      .not_a_result();
  table
      .add("checkpoint.keep-best", &keep_best,
           "also keep the checkpoint with the best last value of this metric (eval/return)")
      .alias("keep-best")
      .not_a_result();

  table.group("metrics", "Metrics");
  table.add("metrics.every", &metrics_every, "steps between published metrics")
      .alias("metrics-every")
      .range(1, 9e15)
      .unit("steps")
      .not_a_result();
  table.add("metrics.flush", &flush_every, "time between writes of the metrics file")
      .alias("flush-every")
      .range(0, 3600)
      .unit("s")
      .not_a_result();

  table.group("device", "Device");
  table.add("device.device", &device, "where tensors live").choices({"cpu", "cuda"}).common();
  table.add("device.gpu-oversubscribe", &gpu_oversubscribe, "let several ranks share one GPU")
      .not_a_result();

  table.group("debug", "Debugging");
  table.add("debug.watchdog", &watchdog, "end the job when nothing moved for this long; 0: never")
      .unit("s")
      .range(0, 1e7)
      .not_a_result();
  table
      .add("debug.check-replicas-every", &check_replicas_every,
           "steps between comparisons of the parameters of all ranks; 0: never")
      .range(0, 9e15)
      .unit("steps")
      .not_a_result();
}

}  // namespace tenfold::train
