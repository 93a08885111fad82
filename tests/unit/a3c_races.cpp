// a3c_races safe | hogwild: threads in the place of ranks apply gradients to the same parameters,
// under ThreadSanitizer, which knows nothing of processes. The arena is that of one rank alone.
// `safe`: what has locks or atomics must be clean, and lose nothing. `hogwild`: races by design,
// which shows that the check sees one.
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "a3c/sharing/shared_parameters.hpp"

namespace tenfold::a3c {
namespace {

constexpr int kThreads = 4;
constexpr std::int64_t kSize = 512 + 48, kUpdates = 100;
constexpr float kSum = kThreads * static_cast<float>(kUpdates);

// What a rank does from rollout to rollout.
void take_part(const comm::SharedArena& arena, const SharingOptions& options, int number) {
  const SharedParameters shared(arena, options, number, kThreads);
  const at::Tensor gradient = at::full({kSize}, -1.0F, at::kFloat);
  const at::Tensor copy = at::empty({kSize}, at::kFloat), own = at::zeros({kSize}, at::kFloat);
  const bool shares = options.optimizer.kind == OptimizerKind::kSharedRmsprop;
  for (std::int64_t i = 0; i < kUpdates; ++i) {
    const std::int64_t seen = shared.updates().get();
    shared.read(copy);
    if (shared.apply(gradient, 1, shares ? at::Tensor() : own) < seen) std::abort();
    if (shared.frames().add(1) % 64 == 63) shared.copy_target();
    if (shared.copies().get() > 0) shared.read_target(copy);
  }
}

// False: an update was lost.
bool run(UpdatePolicy policy, const OptimizerOptions& optimizer) {
  const SharingOptions options{kSize, policy, optimizer, 7};
  const comm::SharedArena arena(comm::Communicator::self(), SharedParameters::parts(options));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&arena, &options, i] { take_part(arena, options, i); });
  }
  for (std::thread& each : threads) each.join();
  const SharedParameters shared(arena, options, 0, 1);
  if (shared.updates().get() != kThreads * kUpdates) return false;
  if (optimizer.kind != OptimizerKind::kMomentum) return true;
  for (const float each : shared.parameters()) {
    if (each != kSum) return false;
  }
  return true;
}

bool run_safe() {
  for (const UpdatePolicy policy :
       {UpdatePolicy::kStriped, UpdatePolicy::kAtomic, UpdatePolicy::kMutex}) {
    if (!run(policy, {OptimizerKind::kMomentum, 0, 0})) return false;
    if (!run(policy, {OptimizerKind::kSharedRmsprop, 0.99, 0.1})) return false;
  }
  return true;
}

}  // namespace
}  // namespace tenfold::a3c

int main(int argc, char** argv) {
  using namespace tenfold::a3c;
  const tenfold::comm::MpiEnvironment mpi(&argc, &argv);
  if (argc == 2 && std::string(argv[1]) == "hogwild") {
    run(UpdatePolicy::kHogwild, {OptimizerKind::kSharedRmsprop, 0.99, 0.1});
    return 0;
  }
  const bool kept = run_safe();
  std::puts(kept ? "nothing was lost" : "UPDATES WERE LOST");
  return kept ? 0 : 1;
}
