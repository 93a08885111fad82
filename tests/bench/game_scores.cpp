// game_scores TASK SETTINGS PLAYER EPISODES: scores on held-out episodes
// (Purpose::kEvaluationReset) of a player that does not learn: random, guide (labyrinth: the
// shortest way to the portal) or driver (racing: the racing line). Prints {scores, facts: {NAME:
// [episodes]}}.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/clock.hpp"
#include "env/labyrinth/labyrinth_batch.hpp"
#include "env/racing/driver.hpp"
#include "env/registry.hpp"
#include "support/labyrinth_guide.hpp"

namespace {

using namespace tenfold;

std::int64_t choose(const std::string& player, const env::BatchEnv& batch, base::Stream& draws) {
  if (player == "random") {
    return static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(batch.spec().choices)));
  }
  if (player == "guide") {
    return guided_choice(dynamic_cast<const env::labyrinth::LabyrinthBatch&>(batch).game(0));
  }
  if (player != "driver") throw std::invalid_argument("player: random, guide or driver");
  const auto& race = dynamic_cast<const env::racing::RacingGame&>(batch);
  return env::racing::choose_line(race.car(), race.ride(0), race.opponents(0),
                                  race.spec().control_dt);
}

double play(const std::string& player, std::uint32_t episode, env::BatchEnv& batch,
            std::int64_t& decisions) {
  base::Stream start(1, base::Purpose::kEvaluationReset, episode, 0);
  base::Stream draws(1, base::Purpose::kTest, episode, 0);
  batch.reset(0, start);
  double score = 0;
  while (batch.terminal()[0] == 0 && batch.truncated()[0] == 0) {
    batch.step(std::vector<float>{static_cast<float>(choose(player, batch, draws))});
    score += batch.rewards()[0];
    ++decisions;
  }
  return score;
}

void measure(const std::string& task, const std::string& settings, const std::string& player,
             std::uint32_t episodes) {
  env::EnvOptions options;
  options.settings = settings;
  const auto batch = env::make_env(task, 1, options);
  nlohmann::json found;
  std::int64_t decisions = 0;
  const double begin = base::cpu_now();
  for (std::uint32_t episode = 0; episode < episodes; ++episode) {
    found["scores"].push_back(play(player, episode, *batch, decisions));
    for (const auto& [name, value] : batch->episode_facts(0)) {
      found["facts"][name].push_back(std::isnan(value) ? nlohmann::json() : nlohmann::json(value));
    }
  }
  found["decisions_per_s"] = static_cast<double>(decisions) / (base::cpu_now() - begin);
  fmt::print("{}\n", found.dump());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 5) throw std::invalid_argument("usage: game_scores TASK SETTINGS PLAYER EPISODES");
    measure(argv[1], argv[2], argv[3], static_cast<std::uint32_t>(std::stoul(argv[4])));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "game_scores: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
