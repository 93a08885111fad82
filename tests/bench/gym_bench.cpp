// gym_bench TASK ROWS DECISIONS [MJCF_FOLDER REPEAT]: decisions per CPU second of a task through
// env::make_env, under uniform random actions drawn beforehand, episodes begun anew as they end.
// Prints one number.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/clock.hpp"
#include "env/registry.hpp"

namespace {

using namespace tenfold;

constexpr std::size_t kPeriod = 64;  // decisions after which the actions come again

std::vector<std::vector<float>> random_actions(std::size_t numbers) {
  base::Stream stream(1, base::Purpose::kTest, 1, 0);
  std::vector<std::vector<float>> actions(kPeriod, std::vector<float>(numbers));
  for (std::vector<float>& each : actions) {
    for (float& number : each) number = static_cast<float>(stream.uniform(-1, 1));
  }
  return actions;
}

double measure(const std::string& task, std::size_t rows, std::size_t decisions,
               const env::EnvOptions& options) {
  const auto env = env::make_env(task, rows, options);
  std::uint64_t episodes = 0;
  const auto begin_episode = [&](std::size_t row) {
    base::Stream stream(1, base::Purpose::kTest, 0, episodes++);
    env->reset(row, stream);
  };
  for (std::size_t row = 0; row < rows; ++row) begin_episode(row);
  const auto actions = random_actions(rows * env->spec().action_size);
  const double begin = base::cpu_now();
  for (std::size_t k = 0; k < decisions; ++k) {
    env->step(actions[k % kPeriod]);
    for (std::size_t row = 0; row < rows; ++row) {
      if (env->terminal()[row] != 0 || env->truncated()[row] != 0) begin_episode(row);
    }
  }
  return static_cast<double>(decisions * rows) / (base::cpu_now() - begin);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4 && argc != 6) {
      throw std::invalid_argument("usage: gym_bench TASK ROWS DECISIONS [MJCF_FOLDER REPEAT]");
    }
    env::EnvOptions options;
    if (argc == 6) {
      options.mjcf_folder = argv[4];
      options.action_repeat = std::stoll(argv[5]);
    }
    fmt::print("{}\n", measure(argv[1], std::stoul(argv[2]), std::stoul(argv[3]), options));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gym_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
