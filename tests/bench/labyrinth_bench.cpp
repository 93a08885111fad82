// labyrinth_bench ROWS DECISIONS SETTINGS: one measurement of labyrinth_bench.py, in CPU seconds.
// Prints {frames_per_s, view_us, rays_us, fill_us, copy_us, bytes}: whole decisions with random
// choices; one picture; and its parts: the rays and columns, rows from columns, and the floor of
// both, as many bytes copied from memory as near.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "base/clock.hpp"
#include "env/labyrinth/labyrinth_batch.hpp"
#include "env/registry.hpp"

namespace {

using namespace tenfold;
using namespace tenfold::env::labyrinth;

template <class Body>
double microseconds(int times, Body body) {
  const double begin = base::cpu_now();
  for (int k = 0; k < times; ++k) body(k);
  return 1e6 * (base::cpu_now() - begin) / times;
}

double decisions_per_second(env::BatchEnv& batch, int decisions) {
  std::vector<float> actions(batch.size());
  base::Stream draws(1, base::Purpose::kTest, 0, 0);
  const double begin = base::cpu_now();
  for (int k = 0; k < decisions; ++k) {
    for (float& each : actions) each = static_cast<float>(draws.below(kChoices));
    batch.step(actions);
  }
  return decisions * static_cast<double>(batch.size()) / (base::cpu_now() - begin);
}

// Seen from where the rows have got to.
nlohmann::json parts(const LabyrinthBatch& batch, int times) {
  const View view{static_cast<int>(batch.spec().picture[0])};
  std::vector<std::uint8_t> background(view.bytes()), frame(view.bytes());
  draw_background(view, background.data());
  Columns columns;
  const auto game = [&](int k) -> const Game& {
    return batch.game(static_cast<std::size_t>(k) % batch.size());
  };
  const double whole = microseconds(
      times, [&](int k) { draw_view(view, game(k), background.data(), frame.data()); });
  const double rays = microseconds(times, [&](int k) {
    const Pose& pose = game(k).pose;
    const double cosine = std::cos(pose.heading), sine = std::sin(pose.heading);
    for (int column = 0; column < view.side; ++column) {
      cast_column(view, game(k).maze, pose, cosine, sine, {200, 150, 100}, column, columns);
    }
  });
  const double fill = microseconds(times, [&](int) {
    for (int row = 0; row < view.side; ++row) {
      fill_row(view, columns, background.data(), row, frame.data());
    }
  });
  const double copy = microseconds(times, [&](int k) {
    background[static_cast<std::size_t>(k) % view.bytes()] ^= 1;  // not the same copy again
    std::memcpy(frame.data(), background.data(), view.bytes());
  });
  const unsigned sum = frame[0] + columns.wall[0];  // what was written counts as read
  return {{"view_us", whole}, {"rays_us", rays},       {"fill_us", fill},
          {"copy_us", copy},  {"bytes", view.bytes()}, {"sum", sum}};
}

void measure(std::size_t rows, int decisions, const std::string& settings) {
  env::EnvOptions options;
  options.settings = settings;
  options.horizon = INT64_MAX;
  const auto batch = env::make_env("labyrinth", rows, options);
  for (std::size_t row = 0; row < rows; ++row) {
    base::Stream stream(1, base::Purpose::kEnvReset, static_cast<std::uint32_t>(row), 0);
    batch->reset(row, stream);
  }
  decisions_per_second(*batch, 200);
  nlohmann::json found = {{"frames_per_s", decisions_per_second(*batch, decisions)}};
  found.update(parts(dynamic_cast<const LabyrinthBatch&>(*batch), 5000));
  fmt::print("{}\n", found.dump());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::invalid_argument("usage: labyrinth_bench ROWS DECISIONS SETTINGS");
    measure(std::stoul(argv[1]), std::stoi(argv[2]), argv[3]);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "labyrinth_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
