#include "train/stop_policy.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "comm/signals.hpp"

namespace tenfold::train {

namespace {

enum Bit : std::uint32_t {
  kInterrupt = 1U << 0,
  kTerminate = 1U << 1,
  kUser2 = 1U << 2,
  kStopFile = 1U << 3,
  kStopAfter = 1U << 4,
  kDeadline = 1U << 5,
  kUser1 = 1U << 6,
  kCheckpointFile = 1U << 7,
  kDue = 1U << 8,
  kWriting = 1U << 9,
  kLocalDue = 1U << 10,
};
constexpr std::uint32_t kStopBits =
    kInterrupt | kTerminate | kUser2 | kStopFile | kStopAfter | kDeadline;

struct Name {
  std::uint32_t bit;
  const char* text;
};
constexpr std::array<Name, 9> kNames{{{kInterrupt, "SIGINT"},
                                      {kTerminate, "SIGTERM"},
                                      {kUser2, "SIGUSR2"},
                                      {kStopFile, "STOP file"},
                                      {kStopAfter, "--stop-after"},
                                      {kDeadline, "deadline"},
                                      {kUser1, "SIGUSR1"},
                                      {kCheckpointFile, "CHECKPOINT file"},
                                      {kDue, "schedule"}}};

double read_deadline() {
  const char* text = std::getenv("TENFOLD_DEADLINE");
  if (text == nullptr || *text == '\0') return 0;
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value > 0)) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("TENFOLD_DEADLINE: '{}' is not a time in seconds since 1970",
                                  base::printable(text)));
  }
  return value;
}

}  // namespace

StopPolicy::StopPolicy(comm::Communicator communicator, const store::RunDirectory* directory,
                       const std::string& stop_after, const CheckpointSchedule& checkpoints,
                       std::uint64_t first_step, const std::optional<StepsOrTime>& local)
    : communicator_(std::move(communicator)),
      directory_(directory),
      checkpoint_due_(checkpoints),
      first_step_(first_step),
      started_(base::monotonic_now()) {
  if (local) local_due_.emplace(*local);
  if (!stop_after.empty()) stop_after_ = steps_or_time("run.stop-after", stop_after);
  communicator_.agree([this] {
    if (communicator_.is_root()) deadline_ = read_deadline();
  });
}

std::uint32_t StopPolicy::local_bits(std::uint64_t before, std::uint64_t after) {
  std::uint32_t bits = 0;
  const std::uint32_t signals = comm::stop_bits();
  if (signals & comm::kStopInterrupt) bits |= kInterrupt;
  if (signals & comm::kStopTerminate) bits |= kTerminate;
  if (signals & comm::kStopUser2) bits |= kUser2;
  if (signals & comm::kCheckpointUser1) {
    bits |= kUser1;
    comm::clear_stop_bits(comm::kCheckpointUser1);
  }
  if (stop_after_.steps && after - first_step_ >= *stop_after_.steps) bits |= kStopAfter;
  if (!communicator_.is_root()) return bits;

  const double now = base::monotonic_now();
  if (stop_after_.seconds && now - started_ >= *stop_after_.seconds) bits |= kStopAfter;
  if (deadline_ > 0 && base::wall_now() > deadline_ - (1.5 * slowest_checkpoint_ + slowest_local_ +
                                                       slowest_step_ + 30)) {
    bits |= kDeadline;
  }
  if (checkpoint_due_.check(before, after)) bits |= kDue;
  local_wanted_ = local_wanted_ || (local_due_ && local_due_->check(before, after));
  if (local_wanted_) bits |= kLocalDue;
  if (directory_ != nullptr && now - looked_ > 0.5) {  // a stat per step would burden shared disks
    looked_ = now;
    if (directory_->touched("STOP")) bits |= kStopFile;
    if (directory_->touched("CHECKPOINT")) bits |= kCheckpointFile;
  }
  return bits;
}

StopDecision StopPolicy::decide(std::uint64_t before, std::uint64_t after, double step_seconds,
                                bool writing) {
  slowest_step_ = std::max(slowest_step_, step_seconds);
  const std::uint32_t mine = local_bits(before, after) | (writing ? kWriting : 0U);
  const std::uint32_t bits = communicator_.all_reduce(mine, comm::Op::kBitOr);
  StopDecision decision;
  decision.writing = (bits & kWriting) != 0;
  if ((bits & ~(kWriting | kLocalDue)) == 0) {
    decision.local = (bits & kLocalDue) != 0;
    return decision;
  }
  decision.stop = (bits & kStopBits) != 0;
  decision.checkpoint = true;
  std::vector<std::string> reasons;
  for (const Name& name : kNames) {
    if (bits & name.bit) reasons.emplace_back(name.text);
  }
  decision.reason = base::join(reasons, ", ");
  if (directory_ != nullptr && communicator_.is_root()) {
    if (bits & kStopFile) directory_->consume("STOP");
    if (bits & kCheckpointFile) directory_->consume("CHECKPOINT");
  }
  return decision;
}

void StopPolicy::local_begun() {
  local_wanted_ = false;
  if (local_due_) local_due_->reset();
}

void StopPolicy::local_checkpointed(double seconds) {
  slowest_local_ = std::max(slowest_local_, seconds);
}

void StopPolicy::checkpointed(double seconds, double stall_seconds) {
  slowest_checkpoint_ = std::max(slowest_checkpoint_, seconds);
  checkpoint_due_.cost(stall_seconds);
}

}  // namespace tenfold::train
