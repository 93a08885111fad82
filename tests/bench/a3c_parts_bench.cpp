// a3c_parts_bench TASK SETTINGS NET CONV LSTM T_MAX ENGINE SECONDS: where the CPU time of one actor
// goes, for a3c_games.py and a3c_speed.py. Prints JSON: CPU nanoseconds per decision of
//   whole    copy of the parameters, rollout, gradient, bound and update, as the application does
//   it env      steps and resets of the environment alone, uniform actions network  forward of
//   every step and of the bootstrap, backward of the rollout update   copy, norm and optimizer step
// and the numbers of parameters and of multiply-adds of a forward pass.
#include <ATen/Context.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "a3c/learning/gradient_gate.hpp"
#include "a3c/rollout.hpp"
#include "a3c/sharing/shared_parameters.hpp"
#include "base/clock.hpp"
#include "base/text.hpp"
#include "kernels/runtime.hpp"
#include "train/device.hpp"

namespace {

using namespace tenfold;

a3c::Config config_of(char** argv) {
  a3c::Config config;
  config.task = argv[1];
  config.settings = argv[2];
  config.net.clear();
  for (const std::string& width : base::split(argv[3], 'x')) config.net.push_back(std::stol(width));
  config.conv = argv[4];
  config.lstm = std::stol(argv[5]);
  config.t_max = std::stol(argv[6]);
  config.engine = argv[7];
  config.lr = 1e-4;  // so small that what is played stays much the same
  return config;
}

// CPU seconds per call, over at least so many seconds.
template <class F>
double time_of(double seconds, const F& call) {
  for (const double start = base::cpu_now(); base::cpu_now() - start < seconds / 4;) call();
  std::int64_t calls = 0;
  const double begin = base::cpu_now();
  for (double now = begin; now - begin < seconds;) {
    for (int i = 0; i < 20; ++i) call();
    calls += 20;
    now = base::cpu_now();
  }
  return (base::cpu_now() - begin) / static_cast<double>(calls);
}

class Parts {
 public:
  Parts(const a3c::Config& config, double seconds)
      : config_(config),
        seconds_(seconds),
        self_(comm::Communicator::self()),
        spec_(a3c::make_envs(config, 1)->spec()),
        networks_(config, spec_),
        actor_(config, 0, 1, networks_.state_size(), 0),
        worker_(config, networks_, spec_, at::kCPU),
        gate_(networks_.layout(), config.clip, false),
        options_{networks_.layout().flat_size(),
                 a3c::UpdatePolicy::kHogwild,
                 {a3c::OptimizerKind::kSharedRmsprop, config.rms_alpha, config.rms_eps},
                 config.stripes},
        arena_(self_, a3c::SharedParameters::parts(options_)),
        shared_(arena_, options_, 0, 1),
        parameters_(networks_.initial_parameters(1)),
        gradient_(at::zeros_like(parameters_)) {
    const float* const start = parameters_.data_ptr<float>();
    std::copy_n(start, shared_.parameters().size(), shared_.parameters().begin());
  }

  nlohmann::json measure() {
    std::int64_t decisions = 0, rollouts = 0;
    const double whole = time_of(seconds_, [&] {
      decisions += roll_out();
      ++rollouts;
    });
    const double length = static_cast<double>(decisions) / static_cast<double>(rollouts);
    const double update = time_of(seconds_, [&] { apply(); });
    nlohmann::json found{{"whole", 1e9 * whole / length},
                         {"env", 1e9 * environment()},
                         {"network", 1e9 * network() / static_cast<double>(config_.t_max)},
                         {"update", 1e9 * update / length},
                         {"rollout", length},
                         {"parameters", options_.size}};
    return found;
  }

 private:
  std::int64_t roll_out() {
    shared_.read(parameters_);
    const std::int64_t count =
        worker_.run(actor_, {parameters_, at::Tensor(), 0}, gradient_, tally_);
    step();
    tally_.episodes.clear();
    return count;
  }
  void step() {
    if (!gate_.pass(gradient_, tally_)) throw std::runtime_error("a gradient is not finite");
    shared_.apply(gradient_, config_.lr, at::Tensor());
  }
  void apply() {
    shared_.read(parameters_);
    step();
  }

  double environment() {
    base::Stream stream(1, base::Purpose::kTest, 0, 0);
    env::BatchEnv& envs = actor_.envs();
    return time_of(seconds_, [&] {
      const auto action =
          static_cast<float>(stream.below(static_cast<std::uint32_t>(spec_.choices)));
      envs.step({&action, 1});
      if (envs.terminal()[0] != 0 || envs.truncated()[0] != 0) actor_.begin_episode(0);
    });
  }

  double network() {
    a3c::Passes passes(networks_, config_.t_max + 1, 1, at::kCPU, true);
    passes.set_states(0, actor_.memory);
    const double weight = 1e-3;
    return time_of(seconds_, [&] {
      for (std::int64_t t = 0; t <= config_.t_max; ++t) {
        passes.observe(t, actor_.envs());
        passes.forward(t, parameters_);
      }
      for (std::int64_t t = 0; t < config_.t_max; ++t) {
        const std::span<float> slope = passes.output_gradient(t, 0);
        std::fill(slope.begin(), slope.end(), static_cast<float>(weight));
        passes.value_gradient(t, 0) = static_cast<float>(weight);
      }
      passes.backward(config_.t_max, parameters_, gradient_);
    });
  }

  a3c::Config config_;
  double seconds_;
  comm::Communicator self_;
  env::Spec spec_;
  a3c::Networks networks_;
  a3c::Actor actor_;
  a3c::RolloutWorker worker_;
  a3c::GradientGate gate_;
  a3c::SharingOptions options_;
  comm::SharedArena arena_;
  a3c::SharedParameters shared_;
  at::Tensor parameters_, gradient_;
  a3c::Tally tally_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const comm::MpiEnvironment mpi(&argc, &argv);
    if (argc != 9) {
      throw std::invalid_argument(
          "usage: a3c_parts_bench TASK SETTINGS NET CONV LSTM T_MAX ENGINE SECONDS");
    }
    const kernels::KokkosEnvironment kokkos;
    train::prepare_torch({});
    at::globalContext().setFlushDenormal(true);
    Parts parts(config_of(argv), std::stod(argv[8]));
    fmt::print("{}\n", parts.measure().dump());
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "a3c_parts_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
