// The file of planner scores, and which of its entries a run is measured with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base_folder.hpp"
#include "ddpg/planner/reference.hpp"
#include "ddpg/planner/scores.hpp"
#include "env/mujoco_model.hpp"
#include "env/registry.hpp"

namespace tenfold::ddpg {
namespace {

namespace fs = std::filesystem;
using base::Code;
using testing::HasSubstr;

PlannerScore entry(const std::string& task, const std::string& method, double shift = 0) {
  PlannerScore score;
  score.task = task;
  score.method = method;
  score.horizon = 500;
  score.repeat = 2;
  score.lookahead = 25;
  score.seed = 7;
  score.mujoco = "4.0.0";
  score.command = "ddpg --task " + task;
  score.git = "abc-dirty";
  score.created_utc = "2026-01-31T12:00:00Z";
  score.returns = {300 + shift, 310 + shift};
  score.cpu_seconds = {1.5, 2.5};
  score.random_returns = {4, 5, 9};
  return score;
}

const PlayedTask kPlayed{"pendulum", 500, 2, 1, "4.0.0"};

Code code_of(const std::function<void()>& body, std::string* text = nullptr) {
  try {
    body();
  } catch (const base::Error& error) {
    if (text != nullptr) *text = error.what();
    return error.code();
  }
  return Code::kOk;
}

class Scores : public test::TemporaryFolder {};

TEST_F(Scores, AreReadAsTheyWereRecordedAndReplacedByTaskAndMethod) {
  const fs::path path = folder_ / "new" / "scores.h5";
  record_score(path, entry("pendulum", "ilqg"));
  record_score(path, entry("cart", "cem", 50));
  record_score(path, entry("pendulum", "cem"));
  record_score(path, entry("pendulum", "ilqg", 20));
  const auto scores = read_scores(path);
  ASSERT_EQ(scores.size(), 3U);
  EXPECT_EQ(scores[0].task, "cart");
  EXPECT_EQ(scores[1].method, "cem");
  const PlannerScore& last = scores[2];
  EXPECT_EQ(last.method, "ilqg");
  EXPECT_EQ(last.returns, (std::vector<double>{320, 330}));
  EXPECT_EQ(last.random_returns, (std::vector<double>{4, 5, 9}));
  EXPECT_EQ(last.cpu_seconds, (std::vector<double>{1.5, 2.5}));
  EXPECT_EQ(last.horizon, 500);
  EXPECT_EQ(last.repeat, 2);
  EXPECT_EQ(last.terminate_on_fall, 1);
  EXPECT_EQ(last.lookahead, 25);
  EXPECT_EQ(last.seed, 7);
  EXPECT_EQ(last.mujoco, "4.0.0");
  EXPECT_EQ(last.command, "ddpg --task pendulum");
  EXPECT_EQ(last.git, "abc-dirty");
  EXPECT_EQ(last.created_utc, "2026-01-31T12:00:00Z");
  EXPECT_FALSE(fs::exists(path.string() + ".tmp"));
}

TEST_F(Scores, TheBetterMethodIsTheReference) {
  const std::vector<PlannerScore> scores{entry("cart", "cem", 100), entry("pendulum", "cem", 10),
                                         entry("pendulum", "ilqg")};
  const Reference reference = find_reference(scores, kPlayed);
  EXPECT_EQ(reference.problem, "");
  EXPECT_EQ(reference.method, "cem");
  EXPECT_DOUBLE_EQ(reference.score(6), 0);
  EXPECT_DOUBLE_EQ(reference.score(315), 1);
  EXPECT_DOUBLE_EQ(reference.score(624), 2);
}

TEST_F(Scores, WhatWasPlayedDifferentlyGivesNoScoreAndSaysWhy) {
  const std::vector<PlannerScore> scores{entry("pendulum", "cem")};
  const auto problem = [&](const PlayedTask& played) {
    const Reference reference = find_reference(scores, played);
    EXPECT_TRUE(std::isnan(reference.score(100)));
    return reference.problem;
  };
  EXPECT_THAT(problem({"hopper", 500, 2, 1, "4.0.0"}), HasSubstr("task hopper"));
  EXPECT_THAT(problem({"pendulum", 400, 2, 1, "4.0.0"}), HasSubstr("horizon of 500"));
  EXPECT_THAT(problem({"pendulum", 500, 1, 1, "4.0.0"}), HasSubstr("repeat 2"));
  EXPECT_THAT(problem({"pendulum", 500, 2, 0, "4.0.0"}), HasSubstr("terminate-on-fall"));
  EXPECT_THAT(problem({"pendulum", 500, 2, 1, "3.9.0"}), HasSubstr("MuJoCo 4.0.0"));
}

TEST_F(Scores, APlannerNoBetterThanChanceIsNoReference) {
  EXPECT_THAT(find_reference({entry("pendulum", "cem", -305)}, kPlayed).problem,
              HasSubstr("no better than random"));
}

TEST_F(Scores, MalformedFilesAreRefusedByName) {
  const fs::path path = folder_ / "scores.h5";
  std::string text;
  EXPECT_EQ(code_of([&] { read_scores(path); }, &text), Code::kUsage);
  EXPECT_THAT(text, HasSubstr("scores.h5"));

  std::ofstream(path) << "not HDF5 at all";
  EXPECT_EQ(code_of([&] { read_scores(path); }, &text), Code::kData);
  EXPECT_THAT(text, HasSubstr("scores.h5"));
  EXPECT_EQ(code_of([&] { record_score(path, entry("cart", "cem")); }), Code::kData);

  fs::remove(path);
  record_score(path, entry("pendulum", "cem"));
  const auto whole = fs::file_size(path);
  fs::resize_file(path, whole / 2);
  EXPECT_EQ(code_of([&] { read_scores(path); }, &text), Code::kData);
  EXPECT_THAT(text, HasSubstr("scores.h5"));
}

TEST_F(Scores, AReturnThatIsNoNumberIsRefused) {
  PlannerScore bad = entry("pendulum", "cem");
  bad.returns[1] = std::nan("");
  record_score(folder_ / "s.h5", bad);
  std::string text;
  EXPECT_EQ(code_of([&] { read_scores(folder_ / "s.h5"); }, &text), Code::kData);
  EXPECT_THAT(text, HasSubstr("pendulum/cem"));
  EXPECT_THAT(text, HasSubstr("'return'"));
}

std::vector<PlannerScore> shipped() {
  return read_scores(base::data_file("planner_scores.h5"));
}

TEST(ShippedScores, FitTheirTasks) {
  ASSERT_GE(shipped().size(), 8U);
  for (const PlannerScore& score : shipped()) {
    SCOPED_TRACE(score.task + "/" + score.method);
    const env::Spec spec = env::make_env(score.task, 1)->spec();
    EXPECT_EQ(score.horizon, spec.horizon);
    EXPECT_EQ(score.repeat, spec.action_repeat);
    EXPECT_EQ(score.mujoco, env::mujoco_version());
    EXPECT_GT(score.mean(), score.random_mean());
    EXPECT_LE(score.mean(), static_cast<double>(score.horizon));
    EXPECT_GE(score.returns.size(), 3U);
    EXPECT_THAT(score.command, HasSubstr("--task " + score.task));
  }
}

struct Sample {
  double mean = 0, variance = 0;  ///< variance of the mean
};

Sample sample(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  Sample result;
  for (const double each : values) result.mean += each / count;
  for (const double each : values) {
    result.variance += (each - result.mean) * (each - result.mean) / count / (count - 1);
  }
  return result;
}

std::vector<double> play_randomly(const std::string& task, std::size_t episodes) {
  const auto env = env::make_env(task, 1);
  std::vector<float> action(env->spec().action_size);
  std::vector<double> returns(episodes);
  for (std::uint32_t episode = 0; episode < episodes; ++episode) {
    base::Stream start(99, base::Purpose::kTest, episode, 0);
    base::Stream draws(99, base::Purpose::kTest, episode, 1);
    env->reset(0, start);
    do {
      for (float& each : action) each = static_cast<float>(draws.uniform(-1, 1));
      env->step(action);
      returns[episode] += env->rewards()[0];
    } while (env->terminal()[0] == 0 && env->truncated()[0] == 0);
  }
  return returns;
}

// Scores go stale when a task's model or reward changes: random actions then get something else.
// Means are compared, not episodes: those are chaotic, and not the same on every processor.
TEST(ShippedScores, RandomActionsStillGetWhatWasRecorded) {
  std::map<std::string, Sample> played;  // entries of one task share their random actions
  for (const PlannerScore& score : shipped()) {
    SCOPED_TRACE(score.task + "/" + score.method);
    const Sample recorded = sample(score.random_returns);
    if (!played.contains(score.task)) {
      played[score.task] = sample(play_randomly(score.task, score.random_returns.size()));
    }
    const Sample now = played[score.task];
    const double deviation = std::sqrt(recorded.variance + now.variance);
    EXPECT_NEAR(recorded.mean, now.mean, 5 * deviation + 1e-3 * score.mean());
  }
}

TEST(Reference, ModelsOfTheUsersOwnHaveNoShippedScores) {
  Config config;
  config.task = "pendulum";
  const env::Spec spec = env::make_env("pendulum", 1)->spec();
  EXPECT_EQ(load_reference(config, spec).problem, "");
  config.mjcf_dir = "elsewhere";
  EXPECT_THAT(load_reference(config, spec).problem, HasSubstr("--mjcf-dir"));
}

}  // namespace
}  // namespace tenfold::ddpg
