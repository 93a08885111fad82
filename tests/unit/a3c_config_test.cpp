#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "a3c/actor.hpp"
#include "a3c/config.hpp"
#include "a3c/networks.hpp"
#include "base/error.hpp"

namespace tenfold::a3c {
namespace {

using testing::HasSubstr;

Config with(const std::vector<std::string>& arguments) {
  Config config;
  cli::OptionTable table("a3c", "");
  // Of the library's own options, the one that presets set.
  static std::int64_t shards;
  table.group("parallel", "Ranks");
  table.add("parallel.virtual-shards", &shards, "");
  config.declare(table);
  table.apply(table.parse(arguments, {}).resolved);
  config.validate();
  return config;
}

void expect_refused(const std::vector<std::string>& arguments, const std::string& word) {
  try {
    with(arguments);
    FAIL() << word << " was accepted";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_THAT(error.message(), HasSubstr(word));
  }
}

// Sections 4 and 5.1 of the paper.
TEST(Config, AtariPresetIsThePaper) {
  const Config paper = with({"--preset", "atari-ff"});
  EXPECT_EQ(paper.t_max, 5);
  EXPECT_EQ(paper.gamma, 0.99);
  EXPECT_EQ(paper.entropy, 0.01);
  EXPECT_EQ(paper.rms_alpha, 0.99);
  EXPECT_EQ(paper.optimizer, "shared-rmsprop");
  EXPECT_EQ(paper.lr_anneal, "linear");
  EXPECT_EQ(paper.update, "hogwild");
  EXPECT_EQ(paper.envs_per_actor, 1);
  const Config with_q = with({"--preset", "atari-ff", "--method", "q"});
  EXPECT_EQ(with_q.target_period, 40000 / 4);
  EXPECT_EQ(with_q.epsilon_anneal, 4000000 / 4);
  EXPECT_EQ(with_q.epsilon_final, "0.1:0.4,0.01:0.3,0.5:0.3");
  EXPECT_EQ(paper.net, (std::vector<std::int64_t>{256}));
  EXPECT_EQ(paper.conv, "dqn13");
  EXPECT_EQ(paper.lstm, 0);
  EXPECT_EQ(with({"--preset", "atari-lstm"}).lstm, 256);
}

TEST(Config, DefaultsAreThePresetCartpole) {
  const Config preset = with({"--preset", "cartpole"});
  const Config defaults;
  EXPECT_EQ(preset.task, defaults.task);
  EXPECT_EQ(preset.reward_scale, defaults.reward_scale);
  EXPECT_EQ(preset.total_steps, defaults.total_steps);
  EXPECT_EQ(preset.net, defaults.net);
  EXPECT_EQ(preset.lr, defaults.lr);
  EXPECT_EQ(preset.rms_eps, defaults.rms_eps);
}

TEST(Config, EveryNativePresetMakesAnAgent) {
  for (const char* name :
       {"cartpole", "catch", "breakout10", "memory", "continuous", "labyrinth"}) {
    const Config config = with({"--preset", name});
    const auto envs = make_envs(config, 1);
    EXPECT_GT(Networks(config, envs->spec()).layout().parameter_count(), 0) << name;
  }
}

TEST(Config, MethodsHaveNames) {
  EXPECT_EQ(method_of("a3c"), Method::kActorCritic);
  EXPECT_EQ(method_of("q"), Method::kOneStepQ);
  EXPECT_EQ(method_of("sarsa"), Method::kOneStepSarsa);
  EXPECT_EQ(method_of("nstep-q"), Method::kNStepQ);
  EXPECT_THROW(method_of("dqn"), base::Error);
}

TEST(Config, OptionsThatDoNotGoTogetherAreRefused) {
  expect_refused({"--update", "sync", "--order", "turns"}, "--update sync has no turns");
  expect_refused({"--update", "sync", "--optimizer", "momentum"}, "--optimizer momentum");
  expect_refused({"--order", "turns", "--fake-nodes", "2"}, "--order turns");
  expect_refused({"--method", "q", "--entropy", "0.1"}, "entropy");
  expect_refused({"--target-period", "100"}, "target-period");
  expect_refused({"--update", "mutex", "--stripes", "3"}, "stripes");
  expect_refused({"--optimizer", "momentum", "--rms-eps", "1"}, "rms-eps");
  expect_refused({"--method", "q", "--epsilon-final", "0.1:x"}, "epsilon-final");
}

TEST(Config, TaskMethodAndNetworkMustGoTogether) {
  const auto refused = [](const std::vector<std::string>& arguments, const std::string& first,
                          const std::string& second) {
    const Config config = with(arguments);
    try {
      Networks(config, make_envs(config, 1)->spec());
      FAIL() << first << " was accepted";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      EXPECT_THAT(error.message(), HasSubstr(first));
      EXPECT_THAT(error.message(), HasSubstr(second));
    }
  };
  for (const char* method : {"q", "sarsa", "nstep-q"}) {
    refused({"--task", "classic_pendulum", "--method", method}, "classic_pendulum", method);
  }
  refused({"--task", "classic_cartpole", "--conv", "grid"}, "classic_cartpole", "--conv grid");
  refused({"--task", "labyrinth"}, "labyrinth", "84 x 84");
}

}  // namespace
}  // namespace tenfold::a3c
