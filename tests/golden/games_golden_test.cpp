// The native classic control against trajectories of Gymnasium (make_games.py).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "env/registry.hpp"

namespace tenfold::env {
namespace {

using Json = nlohmann::json;

const Json& recorded() {
  static const Json json = [] {
    std::ifstream file(TENFOLD_SOURCE_DIR "/tests/golden/games.json");
    return Json::parse(file);
  }();
  return json;
}

// As in make_games.py.
int action_number(int step) {
  return (5 * step + step * step / 7) % 17;
}

float action(const Spec& spec, int step) {
  const int number = action_number(step);
  if (spec.choices > 0) return static_cast<float>(number % spec.choices);
  return static_cast<float>(number - 8) / 8;
}

// Observations are floats: 6e-8 of their size each, and differences of that kind may grow.
void expect_near(double ours, double theirs, const std::string& what) {
  EXPECT_NEAR(ours, theirs, 1e-5 * std::max(1.0, std::abs(theirs))) << what;
}

class GamesGolden : public testing::TestWithParam<std::string> {};

TEST_P(GamesGolden, FollowsGymnasium) {
  const Json& trajectories = recorded().at("tasks").at(GetParam());
  ASSERT_GE(trajectories.size(), 5U);
  const auto env = make_env(GetParam(), 2);
  bool ended = false;
  for (const Json& trajectory : trajectories) {
    for (std::size_t row = 0; row < 2; ++row) {
      base::Stream stream(1, base::Purpose::kTest, static_cast<std::uint32_t>(row), 0);
      env->reset(row, stream);
    }
    auto state = trajectory.at("start").get<std::vector<double>>();
    state.push_back(0);  // decisions taken
    ASSERT_EQ(state.size(), env->state_size());
    env->load(1, state);
    int step = 0;
    for (const Json& expected : trajectory.at("steps")) {
      const std::string what = trajectory.at("start").dump() + " step " + std::to_string(step);
      base::Stream stream(1, base::Purpose::kTest, 0, static_cast<std::uint64_t>(step));
      env->reset(0, stream);  // the neighbour must not end
      const float chosen = action(env->spec(), step);
      env->step(std::vector<float>{chosen, chosen});
      const auto theirs = expected.at(0).get<std::vector<double>>();
      const auto ours = env->observations().subspan(theirs.size());
      ASSERT_EQ(ours.size(), theirs.size());
      for (std::size_t i = 0; i < theirs.size(); ++i) expect_near(ours[i], theirs[i], what);
      expect_near(env->rewards()[1], expected.at(1), what + ", reward");
      ASSERT_EQ(env->terminal()[1] != 0, expected.at(2).get<bool>()) << what;
      ended |= env->terminal()[1] != 0;
      ++step;
    }
  }
  EXPECT_EQ(ended, env->spec().can_end) << "some trajectory shows the end";
}

INSTANTIATE_TEST_SUITE_P(Classic, GamesGolden,
                         testing::Values("classic_cartpole", "classic_mountain_car",
                                         "classic_mountain_car_continuous", "classic_acrobot",
                                         "classic_pendulum"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace tenfold::env
