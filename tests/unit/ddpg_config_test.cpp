#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "ddpg/config.hpp"

namespace tenfold::ddpg {
namespace {

using testing::HasSubstr;

Config with(const std::vector<std::string>& arguments) {
  Config config;
  cli::OptionTable table("ddpg", "");
  config.declare(table);
  table.apply(table.parse(arguments, {}).resolved);
  return config;
}

// Section 7 of the paper, and section 3 for batch normalisation.
TEST(Config, PaperPresetIsThePaper) {
  const Config paper = with({"--preset", "paper"});
  EXPECT_EQ(paper.actor_net, (std::vector<std::int64_t>{400, 300}));
  EXPECT_EQ(paper.critic_net, (std::vector<std::int64_t>{400, 300}));
  EXPECT_EQ(paper.action_layer, 2);
  EXPECT_EQ(paper.batch_norm, "paper");
  EXPECT_EQ(paper.final_init, 3e-3);
  EXPECT_EQ(paper.lr_actor, 1e-4);
  EXPECT_EQ(paper.lr_critic, 1e-3);
  EXPECT_EQ(paper.critic_l2, 1e-2);
  EXPECT_EQ(paper.gamma, 0.99);
  EXPECT_EQ(paper.tau, 1e-3);
  EXPECT_EQ(paper.batch, 64);
  EXPECT_EQ(paper.replay, 1000000);
  EXPECT_EQ(paper.noise, "ou");
  EXPECT_EQ(paper.ou_theta, 0.15);
  EXPECT_EQ(paper.sigma, 0.2);
  EXPECT_EQ(paper.start_steps, 0);
  EXPECT_EQ(paper.updates_per_step, 1);
  EXPECT_TRUE(paper.target_networks);
}

TEST(Config, PaperWithoutDecayDiffersInTheDecayOnly) {
  const Config paper = with({"--preset", "paper"});
  Config without = with({"--preset", "paper-nowd"});
  EXPECT_EQ(without.critic_l2, 0);
  EXPECT_EQ(without.actor_net, paper.actor_net);
  EXPECT_EQ(without.lr_actor, paper.lr_actor);
  EXPECT_EQ(without.tau, paper.tau);
  EXPECT_EQ(without.batch_norm, paper.batch_norm);
}

TEST(Config, DefaultsAreThePresetModern) {
  const Config config = with({"--preset", "modern"});
  const Config defaults;
  EXPECT_EQ(config.actor_net, defaults.actor_net);
  EXPECT_EQ(config.critic_net, defaults.critic_net);
  EXPECT_EQ(config.action_layer, defaults.action_layer);
  EXPECT_EQ(config.batch_norm, defaults.batch_norm);
  EXPECT_EQ(config.lr_actor, defaults.lr_actor);
  EXPECT_EQ(config.lr_critic, defaults.lr_critic);
  EXPECT_EQ(config.critic_l2, defaults.critic_l2);
  EXPECT_EQ(config.tau, defaults.tau);
  EXPECT_EQ(config.start_steps, defaults.start_steps);
}

TEST(Config, StrongBatchesAreSplitOverShardsWeakOnesAreNot) {
  EXPECT_EQ(with({"--batch", "64"}).rows_per_shard(8), 8);
  EXPECT_EQ(with({"--batch", "64", "--batch-mode", "weak"}).rows_per_shard(8), 64);
  EXPECT_EQ(with({"--batch", "60", "--batch-mode", "weak"}).rows_per_shard(8), 60);
  try {
    with({"--batch", "60"}).rows_per_shard(8);
    ADD_FAILURE() << "accepted";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_EQ(error.message(), "learning.batch 60 cannot be split over 8 virtual shards");
    EXPECT_THAT(error.hint(), HasSubstr("multiple of 8"));
  }
}

void expect_invalid(const std::vector<std::string>& arguments, const std::string& message) {
  const Config config = with(arguments);
  try {
    config.validate();
    ADD_FAILURE() << "accepted: " << message;
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_EQ(error.message(), message);
  }
}

TEST(Config, ValuesThatDoNotFitTogetherAreRefused) {
  expect_invalid({"--action-layer", "4"},
                 "network.action-layer 4 is beyond the 3 layers of --critic-net");
  expect_invalid({"--replay", "63"}, "learning.replay 63 holds less than one batch of 64");
  EXPECT_NO_THROW(with({"--action-layer", "3", "--replay", "64"}).validate());
}

TEST(Config, NormsExcludeEachOther) {
  try {
    with({"--preset", "paper", "--layer-norm", "true"}).validate();
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("--layer-norm and --batch-norm"));
  }
  const Config config = with(
      {"--layer-norm", "true", "--engine", "torch", "--obs", "pixels", "--conv-filters", "8x16"});
  config.validate();
  EXPECT_TRUE(config.layer_norm);
  EXPECT_EQ(config.engine, "torch");
  EXPECT_EQ(config.conv_filters, (std::vector<std::int64_t>{8, 16}));
  EXPECT_THROW(with({"--engine", "cuda"}), base::Error);
}

}  // namespace
}  // namespace tenfold::ddpg
