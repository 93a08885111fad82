// planner TASK DECISIONS EPISODES: what a planner that knows the dynamics gets, the 1 of normalised
// scores. Model-predictive control by the cross-entropy method: 40 plans of DECISIONS decisions,
// twice refitted to the best 8, shifted from one decision to the next. Prints the return of each
// episode.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "env/registry.hpp"

namespace {

using namespace tenfold;

constexpr std::size_t kPlans = 40, kElite = 8;
constexpr int kIterations = 2;
constexpr double kStart = 0.6, kLeast = 0.02;  // standard deviations of a plan's actions

class Planner {
 public:
  Planner(const std::string& task, std::size_t decisions)
      : envs_(env::make_env(task, kPlans, {.horizon = INT64_MAX})),
        width_(envs_->spec().action_size),
        size_(decisions * width_),
        mean_(size_, 0.0),
        spread_(size_),
        plans_(kPlans, std::vector<float>(size_)) {}

  /// The first action of the best plan found from state.
  std::vector<float> act(std::span<const double> state, base::Stream& stream) {
    std::fill(spread_.begin(), spread_.end(), kStart);
    for (int i = 0; i < kIterations; ++i) {
      draw(stream);
      refit(returns(state));
    }
    std::vector<float> action(mean_.begin(), mean_.begin() + static_cast<std::ptrdiff_t>(width_));
    std::rotate(mean_.begin(), mean_.begin() + static_cast<std::ptrdiff_t>(width_), mean_.end());
    std::fill(mean_.end() - static_cast<std::ptrdiff_t>(width_), mean_.end(), 0.0);
    return action;
  }

 private:
  void draw(base::Stream& stream) {
    for (std::vector<float>& plan : plans_) {
      for (std::size_t k = 0; k < size_; ++k) {
        plan[k] =
            static_cast<float>(std::clamp(mean_[k] + spread_[k] * stream.normal(), -1.0, 1.0));
      }
    }
  }

  std::vector<double> returns(std::span<const double> state) {
    for (std::size_t row = 0; row < kPlans; ++row) envs_->load(row, state);
    std::vector<double> sums(kPlans, 0.0);
    std::vector<float> actions(kPlans * width_);
    for (std::size_t k = 0; k < size_; k += width_) {
      for (std::size_t row = 0; row < kPlans; ++row) {
        std::copy_n(plans_[row].begin() + static_cast<std::ptrdiff_t>(k), width_,
                    actions.begin() + static_cast<std::ptrdiff_t>(row * width_));
      }
      envs_->step(actions);
      for (std::size_t row = 0; row < kPlans; ++row) sums[row] += envs_->rewards()[row];
    }
    return sums;
  }

  void refit(const std::vector<double>& sums) {
    std::vector<std::size_t> order(kPlans);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return sums[a] > sums[b]; });
    for (std::size_t k = 0; k < size_; ++k) {
      double sum = 0, squares = 0;
      for (std::size_t i = 0; i < kElite; ++i) {
        const double value = plans_[order[i]][k];
        sum += value;
        squares += value * value;
      }
      mean_[k] = sum / kElite;
      spread_[k] =
          std::max(kLeast, std::sqrt(std::max(0.0, squares / kElite - mean_[k] * mean_[k])));
    }
  }

  std::unique_ptr<env::BatchEnv> envs_;
  std::size_t width_, size_;
  std::vector<double> mean_, spread_;
  std::vector<std::vector<float>> plans_;
};

double play(const std::string& task, std::size_t decisions, std::uint32_t episode) {
  const auto world = env::make_env(task, 1);
  Planner planner(task, decisions);
  base::Stream start(1, base::Purpose::kEvaluationReset, episode, 0);
  base::Stream plans(1, base::Purpose::kTest, episode, 0);
  world->reset(0, start);
  std::vector<double> state(world->state_size());
  double sum = 0;
  do {
    world->save(0, state);
    world->step(planner.act(state, plans));
    sum += world->rewards()[0];
  } while (world->terminal()[0] == 0 && world->truncated()[0] == 0);
  return 1000 * sum / static_cast<double>(world->spec().horizon);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::invalid_argument("usage: planner TASK DECISIONS EPISODES");
    for (std::uint32_t episode = 0; episode < std::stoul(argv[3]); ++episode) {
      fmt::print("{}\n", play(argv[1], std::stoul(argv[2]), episode));
      std::fflush(stdout);
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "planner: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
