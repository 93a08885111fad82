// A lost life is an end for the learner and for nobody else.
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>

#include "a3c/rollout.hpp"
#include "support/scripted_env.hpp"

namespace tenfold::a3c {
namespace {

using test::ScriptedEnv;
using Kind = ScriptedEnv::Kind;

struct Played {
  at::Tensor gradient;
  std::int64_t decisions;
  std::size_t episodes;
  std::vector<double> lengths;
};

// Four decisions of feed-forward networks, unless something ends them. Episodes begin where the one
// before ended, so that an end changes nothing but what is learnt.
Played play(const std::string& method, std::int64_t rows, const ScriptedEnv::Ends& ends) {
  Config config;
  config.method = method;
  config.t_max = 4;
  config.envs_per_actor = rows;
  config.net = {8};
  env::Spec spec;
  spec.name = "scripted";
  spec.observation_size = 3;
  spec.action_size = 1;
  spec.choices = 3;
  spec.horizon = 100;
  const Networks networks(config, spec);
  Actor actor(config, 0, 5, 0, 0,
              std::make_unique<ScriptedEnv>(spec, static_cast<std::size_t>(rows), ends, false));
  RolloutWorker worker(config, networks, spec, at::kCPU);
  Played played{at::full({networks.layout().flat_size()}, NAN, at::kFloat), 0, 0, {}};
  Tally tally;
  const at::Tensor parameters = networks.initial_parameters(7),
                   target = networks.initial_parameters(8);
  played.decisions = worker.run(actor, {parameters, target, 0.3}, played.gradient, tally);
  played.episodes = tally.episodes.size();
  played.lengths = actor.lengths;
  return played;
}

class LifeLoss : public testing::TestWithParam<std::string> {};

TEST_P(LifeLoss, TeachesWhatAnEndTeachesAndTheEpisodeGoesOn) {
  const Played life = play(GetParam(), 2, {{{2, 0}, Kind::kLife}}),
               end = play(GetParam(), 2, {{{2, 0}, Kind::kEnd}}), neither = play(GetParam(), 2, {});
  EXPECT_TRUE(at::equal(life.gradient, end.gradient));
  EXPECT_FALSE(at::equal(life.gradient, neither.gradient));
  EXPECT_EQ(life.episodes, 0U);
  EXPECT_EQ(end.episodes, 1U);
  EXPECT_EQ(life.lengths, (std::vector<double>{4, 4}));
  EXPECT_EQ(end.lengths, (std::vector<double>{2, 4}));
}

TEST_P(LifeLoss, EndsARolloutOfOneEnvironment) {
  const Played life = play(GetParam(), 1, {{{3, 0}, Kind::kLife}});
  EXPECT_EQ(life.decisions, 3);
  EXPECT_EQ(life.episodes, 0U);
  EXPECT_TRUE(at::equal(life.gradient, play(GetParam(), 1, {{{3, 0}, Kind::kEnd}}).gradient));
}

INSTANTIATE_TEST_SUITE_P(Methods, LifeLoss, testing::Values("a3c", "q", "sarsa", "nstep-q"),
                         [](const auto& each) {
                           return each.param == "nstep-q" ? "nstep_q" : each.param;
                         });

}  // namespace
}  // namespace tenfold::a3c
