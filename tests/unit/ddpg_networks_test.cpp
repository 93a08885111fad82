// The networks that a configuration makes (papers/ddpg.md, oracle 9.13).
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ddpg/networks.hpp"

namespace tenfold::ddpg {
namespace {

using kernels::Activation;
using testing::ElementsAre;

Config preset(const std::string& name) {
  Config config;
  cli::OptionTable table("ddpg", "");
  config.declare(table);
  table.apply(table.parse({"--preset", name}, {}).resolved);
  return config;
}

std::vector<std::string> names(const nn::ParameterLayout& layout) {
  std::vector<std::string> all;
  for (const nn::ParameterEntry& entry : layout.entries()) all.push_back(entry.name);
  return all;
}

TEST(Networks, OfThePaperHaveTheCountedParameters) {
  Config config = preset("paper");
  config.batch_norm = "none";
  EXPECT_EQ(nn::Mlp(actor_spec(config, 17, 6)).parameters().parameter_count(), 129306);
  // 400*17+400 + 300*(400+6)+300 + 300+1
  EXPECT_EQ(nn::Mlp(critic_spec(config, 17, 6)).parameters().parameter_count(), 129601);
}

// Section 3: "on the state input and all layers of the mu network and all layers of the Q network
// prior to the action input".
TEST(Networks, OfThePaperNormaliseWhatThePaperSays) {
  const Config config = preset("paper");
  const nn::Mlp actor(actor_spec(config, 17, 6));
  EXPECT_THAT(names(actor.parameters()),
              ElementsAre("input_norm.weight", "input_norm.bias", "layer0.weight", "norm0.weight",
                          "norm0.bias", "layer1.weight", "norm1.weight", "norm1.bias",
                          "layer2.weight", "layer2.bias"));
  const nn::Mlp critic(critic_spec(config, 17, 6));
  EXPECT_THAT(
      names(critic.parameters()),
      ElementsAre("input_norm.weight", "input_norm.bias", "layer0.weight", "norm0.weight",
                  "norm0.bias", "layer1.weight", "layer1.bias", "layer2.weight", "layer2.bias"));
  EXPECT_EQ(critic.parameters().entries()[5].shape, (std::vector<std::int64_t>{300, 406}));
}

TEST(Networks, OfThePaperStartTheirLastLayersWithinThreeThousandths) {
  const Config config = preset("paper");
  for (const nn::MlpSpec& spec : {actor_spec(config, 17, 6), critic_spec(config, 17, 6)}) {
    const nn::Mlp mlp(spec);
    for (const nn::ParameterEntry& entry : mlp.parameters().entries()) {
      if (!entry.name.starts_with("layer2")) continue;
      EXPECT_EQ(entry.init_low, -3e-3) << entry.name;
      EXPECT_EQ(entry.init_high, 3e-3) << entry.name;
    }
  }
}

TEST(Networks, ModernOnesTakeTheActionAtTheInputAndNormaliseNothing) {
  const Config config = preset("modern");
  const nn::Mlp critic(critic_spec(config, 5, 2));
  EXPECT_THAT(names(critic.parameters()),
              ElementsAre("layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias",
                          "layer2.weight", "layer2.bias"));
  EXPECT_EQ(critic.parameters().entries()[0].shape, (std::vector<std::int64_t>{64, 7}));
  EXPECT_EQ(critic.buffers().flat_size(), 0);
}

// Section 7: "3 convolutional layers (without pooling) with 32 filters at each layer. This was
// followed by two fully connected layers with 200 units (approximately 430,000 parameters)"; and
// section 3's batch norm.
TEST(Networks, OfPicturesAreThePapers) {
  Config config = preset("paper");
  config.actor_net = config.critic_net = {200, 200};
  config.final_init = 3e-4;
  const ObservationShape pictures(64, 64, 9);
  const auto critic = make_critic(config, pictures, 6);
  EXPECT_THAT(
      names(critic->parameters()),
      ElementsAre("input_norm.weight", "input_norm.bias", "conv0.weight", "conv_norm0.weight",
                  "conv_norm0.bias", "conv1.weight", "conv_norm1.weight", "conv_norm1.bias",
                  "conv2.weight", "conv_norm2.weight", "conv_norm2.bias", "layer0.weight",
                  "norm0.weight", "norm0.bias", "layer1.weight", "layer1.bias", "layer2.weight",
                  "layer2.bias"));
  EXPECT_EQ(critic->parameters().entries()[14].shape, (std::vector<std::int64_t>{200, 206}));
  EXPECT_EQ(critic->parameters().entries().back().init_high, 3e-4);
  config.batch_norm = "none";
  EXPECT_EQ(make_actor(config, pictures, 6)->parameters().parameter_count(), 472326);
  EXPECT_EQ(make_critic(config, pictures, 6)->parameters().parameter_count(), 472521);
  config.engine = "torch";
  EXPECT_EQ(make_critic(config, pictures, 6)->parameters().parameter_count(), 472521);
}

TEST(Networks, PolicyIsBoundedAndTheCriticIsNot) {
  const Config config = preset("modern");
  EXPECT_EQ(actor_spec(config, 5, 2).output_activation, Activation::kTanh);
  EXPECT_EQ(critic_spec(config, 5, 2).output_activation, Activation::kIdentity);
  EXPECT_EQ(actor_spec(config, 5, 2).hidden_activation, Activation::kRelu);
  EXPECT_EQ(critic_spec(config, 5, 2).hidden_activation, Activation::kRelu);
}

}  // namespace
}  // namespace tenfold::ddpg
