#include "train/loop.hpp"

#include <algorithm>
#include <bit>
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
  progress_step_ = context.step;
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
    if (context.failure) {
      save("failure", true);
      throw *context.failure;
    }
    const StopDecision decision =
        parts_.stop.decide(before, context.step, watch.seconds(), !parts_.writer.ended());
    if (parts_.writer.in_flight() && !decision.writing) collect();
    if (decision.checkpoint && context.step < total) save(decision.reason, decision.stop);
    if (decision.local && context.step < total && !parts_.writer.in_flight()) save_locally();
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
  const bool last = context.step >= parts_.experiment.total_steps();
  if (due(options.metrics_every) || last) context.metrics->publish(context.step);
  const std::uint64_t evaluate_every = parts_.experiment.evaluate_every();
  if (crosses(before, context.step, evaluate_every) || last) {
    parts_.watchdog.beat("evaluate");
    parts_.experiment.evaluate(context);
  }
  if (due(options.check_replicas_every)) check_replicas(context.world, parts_.registry);
  flush_metrics();
}

// Rows that could not be written wait in memory for the next try; the last one, when the run ends,
// counts.
void Loop::flush_metrics() {
  const RunContext& context = parts_.context;
  try {
    context.world.agree([&] { context.metrics->flush(false); });
  } catch (const comm::AgreedError& error) {
    if (error.code() != base::Code::kIo) throw;
    context.metrics->event(context.step, "fault", error.message());
    if (context.world.is_root()) {
      base::log_warning("metrics not written at step {}, they wait in memory: {}", context.step,
                        error.what());
    }
  }
}

void Loop::save(const std::string& reason, bool last) {
  const RunContext& context = parts_.context;
  parts_.watchdog.beat("checkpoint");
  if (parts_.writer.in_flight()) collect();
  if (last_saved_ == context.step) return;
  reason_ = reason;
  if (const std::string& best = parts_.options.keep_best; !best.empty()) {
    parts_.metadata[metric_key(best)] = fmt::format("{:.17g}", context.metrics->last(best));
  }
  parts_.stop.checkpoint_begun();
  tolerate(last, [&] {
    parts_.writer.begin(context.step, parts_.registry, parts_.metadata);
    if (last || !parts_.options.checkpoint_background) saved(parts_.writer.collect());
  });
}

void Loop::save_locally() {
  parts_.watchdog.beat("checkpoint");
  parts_.stop.local_begun();
  tolerate_locally([&] {
    parts_.writer.begin(parts_.context.step, parts_.registry, parts_.metadata,
                        store::Level::kLocal);
    if (!parts_.options.checkpoint_background) saved_locally(parts_.writer.collect());
  });
}

void Loop::collect() {
  if (parts_.writer.level() == store::Level::kLocal) {
    tolerate_locally([this] { saved_locally(parts_.writer.collect()); });
  } else {
    tolerate(false, [this] { saved(parts_.writer.collect()); });
  }
}

// The shared level stands behind this one, so a run never ends for it. Said for the 1st, 2nd, 4th,
// 8th time, ...: a disk that stays full would otherwise fill the log.
void Loop::tolerate_locally(const std::function<void()>& body) {
  const RunContext& context = parts_.context;
  try {
    body();
  } catch (const comm::AgreedError& error) {
    if (error.code() != base::Code::kIo) throw;
    if (!std::has_single_bit(++local_failures_)) return;
    context.metrics->event(context.step, "fault", "node-local: " + error.message());
    if (context.world.is_root()) {
      base::log_warning(
          "node-local checkpoint failed (seen at step {}, on rank {} of {}), {} in a row; the "
          "shared level goes on: {}",
          context.step, error.rank(), error.host(), local_failures_, error.what());
    }
  }
}

// A checkpoint that cannot be written is no reason to lose the run, unless it is the last chance or
// happens again and again.
void Loop::tolerate(bool last, const std::function<void()>& body) {
  const RunContext& context = parts_.context;
  try {
    body();
  } catch (const comm::AgreedError& error) {
    ++failures_;
    if (error.code() != base::Code::kIo || last || failures_ >= kFailuresInARow) throw;
    context.metrics->event(context.step, "fault", error.message());
    if (context.world.is_root()) {
      base::log_warning(
          "checkpoint failed (seen at step {}, on rank {} of {}), {} of {} in a row before the run "
          "ends: {}",
          context.step, error.rank(), error.host(), failures_, kFailuresInARow, error.what());
    }
  }
}

void Loop::saved(const store::SaveReport& report) {
  const RunContext& context = parts_.context;
  failures_ = 0;
  last_saved_ = report.step;
  saved_time_ = base::monotonic_now();
  parts_.stop.checkpointed(report.seconds, report.stall_seconds);
  context.metrics->row("checkpoint/seconds", report.step, {report.seconds});
  context.metrics->row("checkpoint/stall_seconds", report.step, {report.stall_seconds});
  context.metrics->row("checkpoint/bytes", report.step, {static_cast<double>(report.bytes)});
  context.metrics->event(report.step, "checkpoint",
                         fmt::format("{} ({})", report.path.filename().string(), reason_));
  if (context.world.is_root()) {
    base::log_info("checkpoint {} ({}, {}, {:.2f} s; the run stood still for {:.0f} ms)",
                   report.path.string(), reason_,
                   base::human_bytes(static_cast<double>(report.bytes)), report.seconds,
                   1e3 * report.stall_seconds);
  }
}

void Loop::saved_locally(const store::SaveReport& report) {
  const RunContext& context = parts_.context;
  local_failures_ = 0;
  parts_.stop.local_checkpointed(report.seconds);
  context.metrics->row("checkpoint/local_seconds", report.step, {report.seconds});
  context.metrics->row("checkpoint/local_stall_seconds", report.step, {report.stall_seconds});
  context.metrics->row("checkpoint/local_bytes", report.step, {static_cast<double>(report.bytes)});
  const std::string name = report.path.filename().string();
  context.metrics->event(report.step, "checkpoint", name + " (node-local)");
  if (context.world.is_root()) {
    base::log_info("node-local checkpoint {} ({}, {:.2f} s; the run stood still for {:.0f} ms)",
                   name, base::human_bytes(static_cast<double>(report.bytes)), report.seconds,
                   1e3 * report.stall_seconds);
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
