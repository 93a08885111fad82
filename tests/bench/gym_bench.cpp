// gym_bench TASK ROWS DECISIONS: decisions per CPU second of a task through env::make_env, under
// the same actions in every decision (0.3), episodes begun anew as they end. Prints one number.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/clock.hpp"
#include "env/registry.hpp"

namespace {

using namespace tenfold;

double measure(const std::string& task, std::size_t rows, std::int64_t decisions) {
  const auto env = env::make_env(task, rows);
  std::uint64_t episodes = 0;
  const auto begin_episode = [&](std::size_t row) {
    base::Stream stream(1, base::Purpose::kTest, 0, episodes++);
    env->reset(row, stream);
  };
  for (std::size_t row = 0; row < rows; ++row) begin_episode(row);
  const std::vector<float> actions(rows * env->spec().action_size, 0.3F);
  const double begin = base::cpu_now();
  for (std::int64_t k = 0; k < decisions; ++k) {
    env->step(actions);
    for (std::size_t row = 0; row < rows; ++row) {
      if (env->terminal()[row] != 0 || env->truncated()[row] != 0) begin_episode(row);
    }
  }
  return static_cast<double>(decisions) * static_cast<double>(rows) / (base::cpu_now() - begin);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::invalid_argument("usage: gym_bench TASK ROWS DECISIONS");
    fmt::print("{}\n", measure(argv[1], std::stoul(argv[2]), std::stoll(argv[3])));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "gym_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
