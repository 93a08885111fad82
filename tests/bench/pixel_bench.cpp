// pixel_bench TASK ROWS DECISIONS SIDE SAMPLES: how fast a pixel batch is beside the same batch
// without pictures. Prints {backend, frames_per_s, decisions_per_s, decisions_per_s_without}, by
// the clock, and frames_per_cpu_s, which a busy machine moves less.
#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "env/render/pixel_batch.hpp"

namespace {

using namespace tenfold;

struct Seconds {
  double cpu = 0, wall = 0;
};

Seconds play(env::BatchEnv& batch, std::int64_t decisions) {
  base::Stream draws(1, base::Purpose::kTest, 0, 0);
  for (std::size_t row = 0; row < batch.size(); ++row) batch.reset(row, draws);
  std::vector<float> actions(batch.size() * batch.spec().action_size);
  const double cpu = base::cpu_now(), wall = base::monotonic_now();
  for (std::int64_t k = 0; k < decisions; ++k) {
    for (float& each : actions) each = static_cast<float>(draws.uniform(-1, 1));
    batch.step(actions);
  }
  return {base::cpu_now() - cpu, base::monotonic_now() - wall};
}

void measure(const std::string& task, std::size_t rows, std::int64_t decisions, int side,
             int samples) {
  const env::EnvOptions options = {
      .horizon = INT64_MAX, .action_repeat = 3, .terminate_on_fall = false};
  const auto pixels =
      env::make_pixel_env(task, rows, options, {.width = side, .height = side, .samples = samples});
  const auto plain = env::make_env(task, rows, options);
  play(*pixels, 10);  // shaders are compiled in the first pictures
  const Seconds with = play(*pixels, decisions), without = play(*plain, decisions);
  const double done = static_cast<double>(decisions) * static_cast<double>(rows);
  fmt::print("{}\n", nlohmann::json{{"backend", pixels->backend()},
                                    {"frames_per_s", 3 * done / with.wall},
                                    {"frames_per_cpu_s", 3 * done / with.cpu},
                                    {"decisions_per_s", done / with.wall},
                                    {"decisions_per_s_without", done / without.wall}}
                         .dump());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 6)
      throw std::invalid_argument("usage: pixel_bench TASK ROWS DECISIONS SIDE SAMPLES");
    measure(argv[1], std::stoul(argv[2]), std::stoll(argv[3]), std::stoi(argv[4]),
            std::stoi(argv[5]));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "pixel_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
