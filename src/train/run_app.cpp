#include "train/run_app.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/resident_memory.hpp"
#include "base/text.hpp"
#include "comm/fault.hpp"
#include "comm/signals.hpp"
#include "comm/watchdog.hpp"
#include "kernels/runtime.hpp"
#include "store/run_directory.hpp"
#include "train/loop.hpp"
#include "train/provenance.hpp"
#include "train/replica_check.hpp"
#include "train/resume.hpp"
#include "train/run_options.hpp"
#include "train/same_start.hpp"
#include "train/seed_sweep.hpp"

// The phases below are those of docs/architecture.md, "The life of a run".

extern char** environ;

namespace tenfold::train {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

// Phase 2: rank 0 alone reads the command line, the environment and files, so that all ranks agree.
// Empty when the user asked for a text only.
std::optional<cli::Resolved> read_options(const comm::Communicator& world,
                                          const cli::OptionTable& table, int argc, char** argv) {
  cli::Outcome outcome;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  require_same_start(world, start_words(arguments, environment));
  world.agree([&] {
    if (world.is_root()) outcome = table.parse(arguments, environment);
  });
  const bool leave = world.all_reduce(
      static_cast<std::int32_t>(outcome.kind == cli::Outcome::Kind::kPrintAndExit), comm::Op::kMax);
  if (leave) {
    if (world.is_root()) std::fputs(outcome.text.c_str(), stdout);
    return std::nullopt;
  }
  return cli::decode(world.broadcast_text(cli::encode(outcome.resolved)));
}

base::LogLevel log_level(const std::string& word) {
  if (word == "debug") return base::LogLevel::kDebug;
  if (word == "warning") return base::LogLevel::kWarning;
  if (word == "error") return base::LogLevel::kError;
  return base::LogLevel::kInfo;
}

struct Setup {
  Setup(const AppInfo& the_info, const AppHooks& the_hooks) : info(the_info), hooks(the_hooks) {}
  const AppInfo& info;
  const AppHooks& hooks;
  RunOptions options;
  cli::Resolved resolved;
  DeviceChoice device{};
  std::string command_line;
  std::string result_config;
};

// Where a run goes that names no folder: runs/<app>/<time>-<digest of its configuration>.
fs::path choose_run_directory(const comm::Communicator& world, const Setup& setup) {
  std::string path = setup.options.run_dir;
  if (path.empty()) {
    path = (fs::path("runs") / setup.info.name /
            (base::utc_compact() + "-" + config_digest(setup.result_config)))
               .string();
  }
  if (setup.options.dry_run) path += fmt::format(".dry-run-{}", getpid());
  return world.broadcast_text(path);
}

class DryRunFolder {
 public:
  DryRunFolder(bool active, fs::path path, bool root)
      : path_(std::move(path)), active_(active && root) {}
  ~DryRunFolder() {
    std::error_code ignored;
    if (active_) fs::remove_all(path_, ignored);
  }
  DryRunFolder(const DryRunFolder&) = delete;
  DryRunFolder& operator=(const DryRunFolder&) = delete;

 private:
  fs::path path_;
  bool active_;
};

bool has_local_level(const RunOptions& options) {
  return !options.checkpoint_local.empty() && !options.dry_run;
}

void declare_library_metrics(Metrics& metrics, const RunOptions& options) {
  metrics.declare_rank0("checkpoint/seconds", "s", "time to write a checkpoint", "min");
  metrics.declare_rank0("checkpoint/stall_seconds", "s",
                        "time that the run stood still for a checkpoint", "min");
  metrics.declare_rank0("checkpoint/bytes", "B", "size of a checkpoint");
  metrics.declare({"train/skipped_updates", "updates",
                   "updates left out because a gradient was not finite", "sum", "min"});
  if (!has_local_level(options)) return;
  metrics.declare_rank0("checkpoint/local_seconds", "s", "slowest rank's time to write its part",
                        "min");
  metrics.declare_rank0("checkpoint/local_stall_seconds", "s",
                        "time that the run stood still for a node-local checkpoint", "min");
  metrics.declare_rank0("checkpoint/local_bytes", "B", "sum of all ranks' parts");
}

void banner(const Setup& setup, const RunContext& context, const fs::path& directory,
            const Experiment& experiment, const StartPoint& start) {
  if (!context.world.is_root()) return;
  const std::string roles =
      context.roles
          ? fmt::format(" ({} learn, {} act)", context.roles->learners, context.roles->actors)
          : std::string();
  base::log_info("{}: {} {}{}, {} virtual shards, reduce {}, {}", setup.info.name,
                 context.world.size(), context.world.size() == 1 ? "rank" : "ranks", roles,
                 context.shards.shards, setup.options.reduce, context.device.description);
  base::log_info("run directory {}", directory.string());
  base::log_info("{} of {} {} done, starting from {}", context.step, experiment.total_steps(),
                 experiment.step_unit(), start.description);
}

int dry_run(RunContext& context, Experiment& experiment, const store::StateRegistry& registry,
            store::CheckpointStore& checkpoints, const base::ResidentMemory& before) {
  const base::Stopwatch watch;
  experiment.rehearse(context);
  const double step_seconds = watch.seconds();
  const store::SaveReport report = checkpoints.save(context.step, registry, {});
  const double memory = context.world.all_reduce(base::peak_resident_bytes(), comm::Op::kMax);
  const double growth = context.world.all_reduce(base::peak_growth_bytes(before), comm::Op::kMax);
  const std::string said = experiment.rehearsed(context, growth);
  if (context.world.is_root()) {
    base::log_info("dry run: one step took {:.3f} s, a checkpoint {} in {:.2f} s, largest rank {}",
                   step_seconds, base::human_bytes(static_cast<double>(report.bytes)),
                   report.seconds, base::human_bytes(memory));
    if (!said.empty()) std::fputs(said.c_str(), stdout);
    base::log_info("dry run: nothing was kept");
  }
  return static_cast<int>(Code::kOk);
}

// Phases 6 and 7.
int train_and_finish(LoopParts parts, store::LocalCheckpoints* local, const fs::path& directory) {
  RunContext& context = parts.context;
  Experiment& experiment = parts.experiment;
  const base::Stopwatch watch;
  if (context.step == 0) experiment.evaluate(context);
  const bool finished = context.step >= experiment.total_steps() || Loop(parts).run();
  const std::string summary = finished ? experiment.summary(context) : std::string();
  context.metrics->event(context.step, finished ? "end" : "stop",
                         finished ? "finished" : "stopped");
  context.world.agree([&] { context.metrics->close(); });
  if (finished && local != nullptr) local->finish();
  if (context.world.is_root()) {
    if (!summary.empty()) base::log_info("{}", summary);
    if (finished) {
      base::log_info("finished at {} {} after {}; run directory {}", context.step,
                     experiment.step_unit(), base::human_duration(watch.seconds()),
                     directory.string());
    } else {
      base::log_info("stopped at {} {} with a checkpoint; the same command goes on from there",
                     context.step, experiment.step_unit());
    }
  }
  return static_cast<int>(finished ? Code::kOk : Code::kStopped);
}

void write_provenance(const Setup& setup, const RunContext& context,
                      const store::RunDirectory& directory) {
  const store::Manifest manifest =
      collect_manifest(setup.info, setup.options, setup.resolved, context, setup.command_line,
                       directory.path().filename().string());
  context.world.agree([&] {
    if (context.world.is_root() && !directory.existed()) {
      store::write_manifest(directory.manifest(), manifest);
    }
  });
}

store::RetentionPolicy retention(const comm::Communicator& world, const RunOptions& options,
                                 const Metrics& metrics) {
  store::RetentionPolicy policy{.keep_last = options.keep_last, .keep_every = options.keep_every};
  if (options.keep_best.empty()) return policy;
  world.agree([&] {
    policy.best_is_largest =
        metrics.judged(options.keep_best, "checkpoint.keep-best").better == "max";
  });
  policy.best_key = metric_key(options.keep_best);
  return policy;
}

std::unique_ptr<store::LocalCheckpoints> local_level(const RunContext& context,
                                                     const RunOptions& options,
                                                     const store::RunDirectory& directory) {
  if (!has_local_level(options)) return nullptr;
  return std::make_unique<store::LocalCheckpoints>(
      context.world, options.checkpoint_local, directory.checkpoints(),
      store::ShardMap{context.shards.shards, context.shards.mine});
}

std::optional<StepsOrTime> local_schedule(const RunOptions& options) {
  if (!has_local_level(options)) return std::nullopt;
  return steps_or_time("checkpoint.local-every", options.checkpoint_local_every);
}

// Phases 3 to 7, with everything that must be gone before Kokkos and MPI are.
int live(const comm::Communicator& world, const Setup& setup) {
  RunContext context{.world = world, .seed = static_cast<std::uint32_t>(setup.options.seed)};
  const RunOptions& options = setup.options;
  context.device = setup.device;
  context.roles = assign_roles(world, options, setup.hooks.learners, &context.shards);
  comm::Watchdog watchdog(options.watchdog);

  watchdog.beat("run directory");
  const fs::path folder = choose_run_directory(world, setup);
  const DryRunFolder dry_run_folder(options.dry_run, folder, world.is_root());
  store::RunDirectory directory(world, folder);
  context.folder = folder;
  world.agree([&] { base::log_open_file(directory.log(world.rank())); });
  write_provenance(setup, context, directory);

  watchdog.beat("build");
  const base::ResidentMemory before = base::resident_memory();
  GradientReducer reducer(context.group().duplicate(), context.shards, reduce_mode(options.reduce));
  Metrics metrics(world.duplicate());
  context.reducer = &reducer;
  context.metrics = &metrics;
  context.optimizer = {.zero1 = options.zero == 1, .skip_nonfinite = options.nonfinite == "skip"};
  declare_library_metrics(metrics, options);
  const std::unique_ptr<Experiment> experiment = setup.hooks.make();
  store::StateRegistry registry;
  registry.set_copies_count(!context.roles || context.roles->learner(world.rank()));
  world.agree([&] {
    experiment->build(context);
    experiment->state(registry);
    if (context.optimizer.zero1) registry.identity("zero", "1");
  });
  check_replicas(world, registry);
  const std::string config = with_facts(setup.result_config, context.facts);
  if (!context.facts.empty()) write_provenance(setup, context, directory);

  watchdog.beat("restore");
  store::CheckpointStore checkpoints(world.duplicate(), directory.checkpoints(),
                                     {context.shards.shards, context.shards.mine},
                                     retention(world, options, metrics));
  const auto local = local_level(context, options, directory);
  const StartPoint start =
      restore(world, checkpoints, local.get(), registry, options.resume, config);
  context.step = start.step;
  banner(setup, context, directory.path(), *experiment, start);
  if (options.dry_run) return dry_run(context, *experiment, registry, checkpoints, before);

  world.agree([&] {
    metrics.open(world.is_root() ? directory.next_segment() : fs::path(),
                 directory.existed() ? static_cast<std::int64_t>(start.step) : -1,
                 options.flush_every);
    metrics.event(context.step, start.resumed ? "resume" : "start", start.description);
    metrics.flush(true);
  });
  StopPolicy stop(world.duplicate(), &directory, options.stop_after,
                  CheckpointSchedule(options.checkpoint_every, options.checkpoint_mtbf),
                  context.step, local_schedule(options));
  store::CheckpointWriter writer(world.duplicate(), checkpoints, context.shards.mine,
                                 options.checkpoint_background, local.get());
  return train_and_finish({context,
                           *experiment,
                           options,
                           registry,
                           writer,
                           {{"app", setup.info.name}, {"config", config}},
                           stop,
                           watchdog},
                          local.get(), directory.path());
}

void print_agreed(const comm::Communicator& group, const comm::AgreedError& error) {
  if (!group.is_root()) return;
  base::log_line(
      base::LogLevel::kError,
      base::fatal_line(static_cast<int>(error.code()), error.rank(), error.host(), error.what()));
}

// Every group of ranks runs its seeds; a run that fails leaves the others alone.
int live_seeds(const comm::Communicator& world, const cli::OptionTable& table, Setup& setup) {
  if (setup.options.dry_run) {
    throw comm::AgreedError(
        Error(Code::kUsage, "--dry-run tries one run", "Leave --seeds out, or --dry-run"), 0,
        comm::host_name());
  }
  const std::vector<std::uint32_t> seeds = parse_seeds(setup.options.seeds);
  const fs::path folder = choose_run_directory(world, setup);
  const cli::Resolved of_all = setup.resolved;
  const base::LogLevel level = log_level(setup.options.log_level);
  const auto one = [&](const comm::Communicator& group, std::uint32_t seed) {
    // Progress of the first group; of the others, what went wrong.
    const bool first = world.rank() == group.rank();
    base::log_configure(group.rank(), group.is_root(),
                        first ? level : std::max(level, base::LogLevel::kWarning));
    setup.resolved = resolved_for_seed(table, of_all, folder, seed);
    table.apply(setup.resolved);
    setup.result_config = result_config(table, setup.resolved);
    try {
      return live(group, setup);
    } catch (const comm::AgreedError& error) {
      print_agreed(group, error);
      return static_cast<int>(error.code());
    }
  };
  const std::vector<SeedResult> results =
      run_seeds(world, seeds, setup.options.ranks_per_seed, one, setup.options.stop_after.empty());
  base::log_configure(world.rank(), world.is_root(), level);
  if (world.is_root()) {
    for (const SeedResult& each : results) {
      if (each.run && each.code == 0) continue;
      base::log_info("seed {}: {}", each.seed,
                     each.run ? fmt::format("ended with {}", each.code) : "not begun");
    }
    const auto done = std::count_if(results.begin(), results.end(), [](const SeedResult& each) {
      return each.run && each.code == 0;
    });
    base::log_info("{} of {} seeds are done; runs in {}", done, results.size(), folder.string());
  }
  return code_of_all(results);
}

int run_phases(const comm::Communicator& world, int argc, char** argv, const AppInfo& info,
               const AppHooks& hooks) {
  Setup setup(info, hooks);
  setup.command_line = command_line(argc, argv);
  cli::OptionTable table(info.name, info.summary);
  if (hooks.defaults) hooks.defaults(setup.options);
  setup.options.declare(table);
  hooks.declare(table);
  table.set_version_text(version_text(info));
  const auto resolved = read_options(world, table, argc, argv);
  if (!resolved) return static_cast<int>(Code::kOk);
  setup.resolved = *resolved;
  world.agree([&] {
    table.apply(setup.resolved);
    base::log_configure(world.rank(), world.is_root(), log_level(setup.options.log_level));
    hooks.validate();
  });
  setup.result_config = result_config(table, setup.resolved);
  const comm::Communicator node = world.node();
  world.agree([&] {
    setup.device = choose_device(setup.options.device, setup.options.gpu_oversubscribe,
                                 setup.options.threads, node);
  });
  prepare_torch(setup.device);
  const kernels::KokkosEnvironment kokkos(
      setup.device.device.is_cuda() ? setup.device.device.index() : -1);
  return setup.options.seeds.empty() ? live(world, setup) : live_seeds(world, table, setup);
}

}  // namespace

int run(int argc, char** argv, const AppInfo& info, const AppHooks& hooks) {
  const comm::MpiEnvironment mpi(&argc, &argv);
  const comm::Communicator world = comm::Communicator::world();
  base::log_configure(world.rank(), world.is_root(), base::LogLevel::kInfo);
  comm::install_signal_handlers();
  try {
    world.agree([&] { comm::configure_faults(world.rank()); });
    return run_phases(world, argc, argv, info, hooks);
  } catch (const comm::AgreedError& error) {
    print_agreed(world, error);
    return static_cast<int>(error.code());
  } catch (const Error& error) {
    const std::string place = error.code() == Code::kBug ? " [" + error.where() + "]" : "";
    comm::abort_job(static_cast<int>(error.code()), error.what() + place);
  } catch (const std::exception& error) {
    comm::abort_job(static_cast<int>(Code::kBug), error.what());
  }
}

}  // namespace tenfold::train
