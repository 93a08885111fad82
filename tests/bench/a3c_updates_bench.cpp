// mpirun -n RANKS a3c_updates_bench POLICY SIZE SECONDS: one measurement of a3c_updates.py, on SIZE
// float parameters (a multiple of 16) that the ranks share; POLICY as in --update. JSON from rank
// 0:
//   updates, wall, cpu   gradients applied by all ranks, seconds until the last rank had finished,
//                        CPU seconds of all ranks
//   floor                CPU seconds of a pass over private memory that reads three and writes two
//                        such arrays with one multiply-add each: what shared RMSProp must move
//   lost, lost_working   share of additions of exactly 1 that are missing at the end: ranks that do
//                        nothing else; ranks that work on memory of their own nine tenths of the
//                        time
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "a3c/sharing/shared_parameters.hpp"
#include "base/clock.hpp"
#include "base/wide.hpp"
#include "comm/communicator.hpp"
#include "comm/waiting.hpp"

namespace {

using namespace tenfold;
using a3c::OptimizerKind;
using a3c::OptimizerOptions;
using Json = nlohmann::json;

// As long as a float still counts in ones.
constexpr std::int64_t kMostAdditions = 1 << 23;
constexpr int kWorkPasses = 9;

TENFOLD_WIDE void pass_over(const float* gradient, float* squares, float* parameters,
                            std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    squares[i] += 0.01F * gradient[i];
    parameters[i] -= 0.01F * gradient[i];
  }
}

class Private {
 public:
  explicit Private(std::int64_t size)
      : gradient_(static_cast<std::size_t>(size), 1e-3F),
        squares_(gradient_.size(), 1),
        parameters_(gradient_.size(), 0) {}
  void pass() {
    pass_over(gradient_.data(), squares_.data(), parameters_.data(),
              static_cast<std::int64_t>(gradient_.size()));
  }

 private:
  std::vector<float> gradient_, squares_, parameters_;
};

// One policy, the synchronous one too.
class Updates {
 public:
  Updates(const comm::Communicator& world, const std::string& policy, std::int64_t size,
          const OptimizerOptions& optimizer)
      : world_(world),
        synchronous_(policy == "sync"),
        options_{size, a3c::update_policy(synchronous_ ? "hogwild" : policy), optimizer},
        arena_(world, a3c::SharedParameters::parts(options_)),
        shared_(arena_, options_, world.rank(), world.size()),
        own_(optimizer.kind == OptimizerKind::kMomentum ? at::zeros({size}) : at::Tensor()) {
    if (!synchronous_) return;
    mean_.resize(static_cast<std::size_t>(size));
    squares_.resize(mean_.size());
    parameters_.resize(mean_.size());
  }

  void apply(const at::Tensor& gradient, double lr) {
    if (!synchronous_) {
      shared_.apply(gradient, lr, own_);
      return;
    }
    const float* const mine = gradient.data_ptr<float>();
    std::copy_n(mine, mean_.size(), mean_.begin());
    world_.all_reduce(std::span<float>(mean_), comm::Op::kSum);
    a3c::plain_step(options_.optimizer, lr, mean_.data(), squares_.data(), parameters_.data(),
                    options_.size);
  }

  // All ranks are done.
  double mean_parameter() const {
    const std::span<const float> values =
        synchronous_ ? std::span<const float>(parameters_) : shared_.parameters();
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }
  void meet() const {
    arena_.sync();
    comm::patient_barrier(world_);
    arena_.sync();
  }

 private:
  const comm::Communicator& world_;
  bool synchronous_;
  a3c::SharingOptions options_;
  comm::SharedArena arena_;
  a3c::SharedParameters shared_;
  at::Tensor own_;
  std::vector<float> mean_, squares_, parameters_;
};

class Bench {
 public:
  Bench(std::string policy, std::int64_t size, double seconds)
      : policy_(std::move(policy)),
        size_(size),
        seconds_(seconds),
        world_(comm::Communicator::world()),
        private_(size) {}

  void run() {
    Json found{{"policy", policy_}, {"ranks", world_.size()}, {"size", size_}};
    found["floor"] = floor();
    rate(found);
    found["lost"] = lost(0);
    found["lost_working"] = lost(kWorkPasses);
    if (world_.is_root()) fmt::print("{}\n", found.dump());
  }

 private:
  double floor() {
    for (int i = 0; i < 10; ++i) private_.pass();
    std::int64_t passes = 0;
    const double begin = base::cpu_now();
    while (base::cpu_now() - begin < seconds_ / 4) {
      for (int i = 0; i < 10; ++i) private_.pass();
      passes += 10;
    }
    const double mine = (base::cpu_now() - begin) / static_cast<double>(passes);
    return world_.all_reduce(mine, comm::Op::kSum) / world_.size();
  }

  // How often each rank does it, so that it takes about the time that was asked for.
  template <class F>
  std::int64_t count_for(const F& call) {
    for (int i = 0; i < 3; ++i) call();
    const base::Stopwatch watch;
    for (int i = 0; i < 10; ++i) call();
    const double each = world_.all_reduce(watch.seconds() / 10, comm::Op::kMax);
    return std::max<std::int64_t>(10, static_cast<std::int64_t>(seconds_ / each));
  }

  void rate(Json& found) {
    Updates updates(world_, policy_, size_, {OptimizerKind::kSharedRmsprop, 0.99, 0.1});
    const at::Tensor gradient = at::full({size_}, 1e-3F);
    const auto call = [&] { updates.apply(gradient, 1e-3); };
    const std::int64_t count = count_for(call);
    updates.meet();
    const base::Stopwatch watch;
    const double begin = base::cpu_now();
    for (std::int64_t i = 0; i < count; ++i) call();
    const double cpu = base::cpu_now() - begin, wall = watch.seconds();
    updates.meet();
    found["updates"] = count * world_.size();
    found["cpu"] = world_.all_reduce(cpu, comm::Op::kSum);
    found["wall"] = world_.all_reduce(wall, comm::Op::kMax);
  }

  // Steps of 1: momentum that remembers nothing, a gradient of -1, a rate of 1.
  double lost(int work) {
    const at::Tensor gradient = at::full({size_}, -1.0F);
    const auto once = [&](Updates& updates) {
      for (int i = 0; i < work; ++i) private_.pass();
      updates.apply(gradient, 1);
    };
    Updates trial(world_, policy_, size_, {OptimizerKind::kMomentum, 0, 0.1});
    const std::int64_t count =
        std::min(count_for([&] { once(trial); }), kMostAdditions / world_.size());
    Updates updates(world_, policy_, size_, {OptimizerKind::kMomentum, 0, 0.1});
    updates.meet();
    for (std::int64_t i = 0; i < count; ++i) once(updates);
    updates.meet();
    const double wanted = static_cast<double>(count) * world_.size();
    return 1 - updates.mean_parameter() / wanted;
  }

  std::string policy_;
  std::int64_t size_;
  double seconds_;
  comm::Communicator world_;
  Private private_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const comm::MpiEnvironment mpi(&argc, &argv);
    if (argc != 4) throw std::invalid_argument("usage: a3c_updates_bench POLICY SIZE SECONDS");
    Bench(argv[1], std::stol(argv[2]), std::stod(argv[3])).run();
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "a3c_updates_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
