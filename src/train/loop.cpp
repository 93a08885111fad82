#include "train/loop.hpp"

#include <algorithm>
#include <cmath>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "comm/fault.hpp"
#include "train/replica_check.hpp"

namespace tenfold::train {

namespace {
constexpr int kFailuresInARow = 3;
}

bool Loop::run() {
  RunContext& context = parts_.context;
  const std::uint64_t total = parts_.experiment.total_steps();
  first_step_ = progress_step_ = context.step;
  progress_time_ = saved_time_ = base::monotonic_now();
  bool stopped = false;
  while (context.step < total && !stopped) {
    parts_.watchdog.beat("step");
    comm::fault_point("loop.step");
    const std::uint64_t before = context.step;
    const base::Stopwatch watch;
    const std::uint64_t advanced = parts_.experiment.step(context);
    base::require(advanced > 0, "an experiment's step must advance");
    context.step += advanced;
    comm::fault_point("loop.after_update");
    published(before);
    const StopDecision decision = parts_.stop.decide(before, context.step, watch.seconds());
    if (decision.checkpoint && context.step < total) save(decision.reason, decision.stop);
    stopped = decision.stop && context.step < total;
    report_progress(false);
  }
  if (!stopped) save("end", true);
  report_progress(true);
  return !stopped;
}

void Loop::published(std::uint64_t before) {
  RunContext& context = parts_.context;
  const RunOptions& options = parts_.options;
  const auto due = [&](std::int64_t every) {
    return crosses(before, context.step, static_cast<std::uint64_t>(every));
  };
  if (due(options.metrics_every)) context.metrics->publish(context.step);
  const std::uint64_t evaluate_every = parts_.experiment.evaluate_every();
  const bool last = context.step >= parts_.experiment.total_steps();
  if (crosses(before, context.step, evaluate_every) || last) {
    parts_.watchdog.beat("evaluate");
    parts_.experiment.evaluate(context);
  }
  if (due(options.check_replicas_every)) check_replicas(context.world, parts_.registry);
  context.world.agree([&] { context.metrics->flush(false); });
}

void Loop::save(const std::string& reason, bool last) {
  RunContext& context = parts_.context;
  if (last_saved_ == context.step) return;
  parts_.watchdog.beat("checkpoint");
  try {
    const store::SaveReport report =
        parts_.checkpoints.save(context.step, parts_.registry, parts_.metadata);
    failures_ = 0;
    last_saved_ = context.step;
    saved_time_ = base::monotonic_now();
    parts_.stop.checkpointed(report.seconds);
    context.metrics->row("checkpoint/seconds", context.step, {report.seconds});
    context.metrics->row("checkpoint/bytes", context.step, {static_cast<double>(report.bytes)});
    context.metrics->event(context.step, "checkpoint",
                           fmt::format("{} ({})", report.path.filename().string(), reason));
    if (context.world.is_root()) {
      base::log_info("checkpoint {} ({}, {}, {:.2f} s)", report.path.string(), reason,
                     base::human_bytes(static_cast<double>(report.bytes)), report.seconds);
    }
  } catch (const comm::AgreedError& error) {
    ++failures_;
    if (error.code() != base::Code::kIo || last || failures_ >= kFailuresInARow) throw;
    context.metrics->event(context.step, "fault", error.message());
    if (context.world.is_root()) {
      base::log_warning(
          "checkpoint at step {} failed on rank {} ({}), {} of {} in a row before the run ends: {}",
          context.step, error.rank(), error.host(), failures_, kFailuresInARow, error.what());
    }
    parts_.stop.checkpointed(0);
  }
}

void Loop::report_progress(bool force) {
  RunContext& context = parts_.context;
  if (!context.world.is_root()) return;
  const double now = base::monotonic_now();
  const double elapsed = now - progress_time_;
  if (!force && elapsed < parts_.options.progress_every) return;
  const std::uint64_t total = parts_.experiment.total_steps();
  if (context.step > progress_step_) {
    const double rate =
        static_cast<double>(context.step - progress_step_) / std::max(elapsed, 1e-9);
    step_rate_ = step_rate_ == 0 ? rate : 0.7 * step_rate_ + 0.3 * rate;
  }
  progress_time_ = now;
  progress_step_ = context.step;
  std::string line = fmt::format("step {}/{}  {:3.0f}%", context.step, total,
                                 100.0 * static_cast<double>(context.step) /
                                     static_cast<double>(std::max<std::uint64_t>(total, 1)));
  for (const std::string& name : context.metrics->headline()) {
    const double value = context.metrics->last(name);
    if (std::isfinite(value)) line += fmt::format("  {} {:.4g}", name, value);
  }
  const double left = step_rate_ > 0 && total > context.step
                          ? static_cast<double>(total - context.step) / step_rate_
                          : 0;
  line += fmt::format("  {} {}/s  eta {}", base::human_count(step_rate_),
                      parts_.experiment.step_unit(), base::human_duration(left));
  if (last_saved_ != UINT64_MAX) {
    line += fmt::format("  ckpt {} ago", base::human_duration(now - saved_time_));
  }
  base::log_progress(line);
}

}  // namespace tenfold::train
