// Batches that give frames.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "env/render/pixel_batch.hpp"
#include "env_pictures.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

using testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

Bytes frames_of(const PixelBatch& env, std::size_t row) {
  const auto frames = env.frames(row);
  return {frames.begin(), frames.end()};
}

/// Sub-frame k of R of a row: [height, width, 3].
Bytes sub_frame(const PixelBatch& env, std::size_t row, std::size_t k) {
  const auto channels = static_cast<std::size_t>(env.channels());
  const auto frames = env.frames(row);
  Bytes picture;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (i % channels / 3 == k) picture.push_back(frames[i]);
  }
  return picture;
}

using Pixels = Pictures;

TEST_F(Pixels, ADecisionShowsItsThreeControlSteps) {
  const auto env = make_pixel_env("walker2d", 2);
  const auto single = make_pixel_env("walker2d", 2, {.action_repeat = 1});
  ASSERT_EQ(env->frames().size(), 2 * 64 * 64 * 9);
  ASSERT_EQ(env->channels(), 9);
  start_all(*env, 5);
  start_all(*single, 5);
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(sub_frame(*env, 1, k), frames_of(*single, 1)) << "after a reset: the first picture";
  }
  for (std::uint64_t decision = 0; decision < 3; ++decision) {
    const auto actions = random_actions(*env, 6, decision);
    env->step(actions);
    for (std::size_t k = 0; k < 3; ++k) {
      single->step(actions);
      for (std::size_t row = 0; row < 2; ++row) {
        EXPECT_EQ(sub_frame(*env, row, k), frames_of(*single, row)) << row << ", " << k;
      }
    }
    EXPECT_NE(sub_frame(*env, 0, 0), sub_frame(*env, 0, 1));
    EXPECT_NE(sub_frame(*env, 0, 1), sub_frame(*env, 0, 2));
  }
}

TEST_F(Pixels, RestoredInTheMiddleOfAnEpisodeTheFramesAreTheSame) {
  for (const char* task : {"cheetah", "blockworld1"}) {  // a camera that follows; a mocap body
    const auto env = make_pixel_env(task, 1);
    const auto other = make_pixel_env(task, 2);
    start_all(*env, 1);
    start_all(*other, 2);
    for (std::uint64_t k = 0; k < 3; ++k) env->step(random_actions(*env, 3, k));
    other->step(random_actions(*other, 4, 0));
    other->load(1, state_of(*env, 0));
    EXPECT_EQ(frames_of(*other, 1), frames_of(*env, 0)) << task;
    for (std::uint64_t k = 3; k < 5; ++k) {
      auto actions = random_actions(*other, 3, k);
      const auto mine = random_actions(*env, 3, k);  // row 0's
      std::copy(mine.begin(), mine.end(),
                actions.begin() + static_cast<std::ptrdiff_t>(mine.size()));
      env->step(mine);
      other->step(actions);
      EXPECT_EQ(frames_of(*other, 1), frames_of(*env, 0)) << task;
      EXPECT_EQ(state_of(*other, 1), state_of(*env, 0)) << task;
    }
    EXPECT_NE(frames_of(*other, 0), frames_of(*env, 0)) << task;
  }
}

// Turns by gravity and ends after 0.05 s.
class Falling final : public Task {
 public:
  std::string model_file() const override { return "pendulum.xml"; }
  void bind(const mjModel&) override {}
  void start(const mjModel&, mjData& data, base::Stream&) const override {
    data.qpos[0] = 1;
    data.qvel[0] = 5;
  }
  void observe(const mjData& data, float* observation) const override {
    *observation = static_cast<float>(data.time);
  }
  double reward(const mjModel&, const mjData&) const override { return 1; }
  bool ended(const mjData& data) const override { return data.time > 0.05; }
};

PixelBatch falling(const std::filesystem::path& folder) {
  const Spec spec{.name = "falling",
                  .summary = "",
                  .source = "",
                  .observation_size = 1,
                  .action_size = 1,
                  .horizon = 10,
                  .action_repeat = 2,
                  .control_dt = 0.02};
  return PixelBatch(std::make_unique<MujocoBatch>(load_model(folder / "pendulum.xml"),
                                                  std::make_unique<Falling>(), spec, true, 1),
                    {.width = 40, .height = 30});
}

TEST_F(Pixels, AnEndInsideOfADecisionRepeatsItsLastPicture) {
  PixelBatch env = falling(base::data_file("mjcf"));
  start_all(env, 1);
  env.step(std::vector<float>{0});
  const Bytes before = sub_frame(env, 0, 1);
  EXPECT_NE(sub_frame(env, 0, 0), before);
  env.step(std::vector<float>{0});  // ends after one of its two control steps
  ASSERT_EQ(env.terminal()[0], 1);
  EXPECT_EQ(sub_frame(env, 0, 0), sub_frame(env, 0, 1));
  EXPECT_NE(sub_frame(env, 0, 0), before);
}

TEST_F(Pixels, UnstablePhysicsShowsTheLastGoodPicture) {
  PixelBatch env = falling(changed_model("pendulum.xml", "gear=\"1\"", "gear=\"1e12\""));
  start_all(env, 1);
  env.step(std::vector<float>{0});
  const Bytes good = sub_frame(env, 0, 1);
  ASSERT_NE(sub_frame(env, 0, 0), good);
  env.step(std::vector<float>{1});  // accelerations beyond MuJoCo's bounds
  ASSERT_EQ(env.truncated()[0], 1);
  ASSERT_EQ(env.unstable_count(), 1U);
  EXPECT_EQ(sub_frame(env, 0, 0), good);
  EXPECT_EQ(sub_frame(env, 0, 1), good);
}

TEST_F(Pixels, APictureOfAnotherSizeLeavesTheFramesAlone) {
  const auto env = make_pixel_env("cartpole_swingup", 1, {}, {.width = 32, .height = 24});
  start_all(*env, 1);
  env->step(random_actions(*env, 2, 0));
  const Bytes before = frames_of(*env, 0);
  EXPECT_EQ(env->picture(0, 100, 50).size(), 100 * 50 * 3U);
  EXPECT_EQ(frames_of(*env, 0), before);
  EXPECT_EQ(env->picture(0, 32, 24), sub_frame(*env, 0, 2));
}

// Drawing changes nothing else, and every task has something to see that moves.
TEST_F(Pixels, EveryMujocoTaskIsDrawnAndItsPhysicsIsUntouched) {
  std::size_t drawn = 0;
  for (const std::string& task : task_names()) {
    if (model_file(task).empty()) continue;
    SCOPED_TRACE(task);
    const auto env = make_pixel_env(task, 1, {.terminate_on_fall = false});
    const auto plain = make_env(task, 1, {.action_repeat = 3, .terminate_on_fall = false});
    start_all(*env, 1);
    start_all(*plain, 1);
    const Bytes start = sub_frame(*env, 0, 0);
    std::set<std::array<std::uint8_t, 3>> colours;
    for (std::size_t i = 0; i < start.size(); i += 3) {
      colours.insert({start[i], start[i + 1], start[i + 2]});
    }
    EXPECT_GT(colours.size(), 8U);
    for (std::uint64_t k = 0; k < 3; ++k) {
      env->step(random_actions(*env, 2, k));
      plain->step(random_actions(*env, 2, k));
    }
    EXPECT_NE(sub_frame(*env, 0, 2), start) << "nothing moves";
    EXPECT_EQ(env->rewards()[0], plain->rewards()[0]);
    EXPECT_EQ(observation_of(*env, 0), observation_of(*plain, 0));
    auto state = state_of(*env, 0);
    state.resize(plain->state_size());
    EXPECT_EQ(state, state_of(*plain, 0));
    ++drawn;
  }
  EXPECT_EQ(drawn, task_names().size() - 1) << "all but torcs";
}

void expect_refused(const std::string& task, const PixelOptions& options, const char* text) {
  try {
    make_pixel_env(task, 1, {}, options);
    ADD_FAILURE() << task << " was not refused";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_THAT(error.what(), HasSubstr(text));
  }
}

TEST(PixelTasks, RefusedWithTheirReason) {
  expect_refused("torcs", {}, "task torcs has no pictures");
  expect_refused("gym:Pendulum-v1", {}, "task gym:Pendulum-v1 has no pictures");
  expect_refused("pendulum", {.width = 0}, "0 x 64 pixels");
  expect_refused("pendulu", {}, "Did you mean pendulum?");
}

}  // namespace
}  // namespace tenfold::env
