// games_bench TASK ROWS STEPS: one measurement of games_bench.py. Plays STEPS steps of ROWS
// environments by random actions, starting the next episode of a row where one is over. Prints
// {frames_per_s, episodes}. games_bench --version says what it was built from, as applications do.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "env/registry.hpp"
#include "train/version.hpp"

namespace {

using namespace tenfold;

constexpr std::size_t kPeriod = 1024;  // steps until the actions come again

std::vector<std::vector<float>> random_actions(const env::Spec& spec, std::size_t rows) {
  base::Stream stream(1, base::Purpose::kTest, 0, 0);
  std::vector<std::vector<float>> actions(kPeriod, std::vector<float>(rows * spec.action_size));
  for (std::vector<float>& step : actions) {
    for (float& each : step) {
      each = spec.choices > 0
                 ? static_cast<float>(stream.below(static_cast<std::uint64_t>(spec.choices)))
                 : static_cast<float>(stream.uniform(-1, 1));
    }
  }
  return actions;
}

void measure(const std::string& task, std::size_t rows, std::size_t steps) {
  const auto env = env::make_env(task, rows);
  const std::vector<std::vector<float>> actions = random_actions(env->spec(), rows);
  base::Stream starts(2, base::Purpose::kTest, 0, 0);
  for (std::size_t row = 0; row < rows; ++row) env->reset(row, starts);
  std::size_t episodes = 0;
  const double begin = base::cpu_now();
  for (std::size_t k = 0; k < steps; ++k) {
    env->step(actions[k % kPeriod]);
    for (std::size_t row = 0; row < rows; ++row) {
      if (env->terminal()[row] == 0 && env->truncated()[row] == 0) continue;
      env->reset(row, starts);
      ++episodes;
    }
  }
  const double seconds = base::cpu_now() - begin;
  fmt::print("{{\"frames_per_s\": {}, \"episodes\": {}}}\n",
             static_cast<double>(steps * rows) / seconds, episodes);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
      fmt::print("games_bench {} ({})\n  compiler  {}\n", train::kVersion, train::kGitDescription,
                 __VERSION__);
      return EXIT_SUCCESS;
    }
    if (argc != 4) throw std::invalid_argument("usage: games_bench TASK ROWS STEPS");
    measure(argv[1], std::stoul(argv[2]), std::stoul(argv[3]));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "games_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
