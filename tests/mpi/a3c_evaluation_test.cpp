// Evaluations: the same on any number of ranks, of the episodes and actions that they say.
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "a3c/actor.hpp"
#include "a3c/evaluation.hpp"
#include "support/training_world.hpp"

namespace tenfold::a3c {
namespace {

struct Setting {
  const char *method, *task;
  std::int64_t lstm;
};

// An evaluator of these ranks.
class Evaluation {
 public:
  Evaluation(const comm::Communicator& ranks, const Config& config)
      : config_(config),
        training_(ranks, 4),
        networks_(config_, make_envs(config_, 1)->spec()),
        evaluator_(config_, networks_, training_.context()),
        parameters_(networks_.initial_parameters(3)) {}

  std::vector<std::pair<double, double>> run(const at::Tensor& parameters, std::uint64_t number,
                                             bool random = false) {
    std::vector<std::pair<double, double>> episodes;
    for (const EpisodeResult& each : evaluator_.run(parameters, number, random).episodes) {
      episodes.emplace_back(each.episode_return, each.length);
    }
    return episodes;
  }
  std::vector<std::pair<double, double>> run(std::uint64_t number, bool random = false) {
    return run(parameters_, number, random);
  }
  at::Tensor zeros() const { return at::zeros({networks_.layout().flat_size()}, at::kFloat); }

 private:
  Config config_;
  test::TrainingWorld training_;
  Networks networks_;
  Evaluator evaluator_;
  at::Tensor parameters_;
};

Config setting(const Setting& what) {
  Config config;
  config.method = what.method;
  config.task = what.task;
  config.lstm = what.lstm;
  config.net = {8};
  config.horizon = 40;
  config.eval_episodes = 7;
  return config;
}

TEST(Evaluation, IsTheSameOnAnyNumberOfRanks) {
  for (const Setting& each : {Setting{"a3c", "classic_cartpole", 0},
                              {"q", "classic_cartpole", 3},
                              {"a3c", "classic_pendulum", 4},
                              {"nstep-q", "catch", 0}}) {
    SCOPED_TRACE(each.task);
    Evaluation all(comm::Communicator::world(), setting(each));
    Evaluation alone(comm::Communicator::self(), setting(each));
    EXPECT_EQ(all.run(1), alone.run(1));
    EXPECT_EQ(all.run(0, true), alone.run(0, true));
    EXPECT_EQ(all.run(1), alone.run(1)) << "it remembers nothing";
    EXPECT_EQ(all.run(1).size(), 7U);
  }
  // Other episodes by another number.
  Evaluation cartpole(comm::Communicator::world(), setting({"a3c", "classic_cartpole", 0}));
  EXPECT_NE(cartpole.run(1), cartpole.run(2));
}

// Networks of zeros take the first of all equal actions, to the left: played here step by step.
TEST(Evaluation, PlaysTheEpisodesThatItSays) {
  Config config = setting({"q", "catch", 0});
  config.eval_epsilon = 0;
  Evaluation evaluation(comm::Communicator::world(), config);
  const auto found = evaluation.run(evaluation.zeros(), 5);
  const auto env = make_envs(config, 1);
  for (std::uint32_t episode = 0; episode < 7; ++episode) {
    base::Stream stream(1, base::Purpose::kEvaluationReset, episode, 5);
    env->reset(0, stream);
    double sum = 0, length = 0;
    const float left[] = {0};
    do {
      env->step(left);
      sum += env->rewards()[0];
      ++length;
    } while (env->terminal()[0] == 0 && env->truncated()[0] == 0);
    EXPECT_EQ(found.at(episode), std::pair(sum, length));
  }
}

TEST(Evaluation, GreedyTakesTheLikeliestAction) {
  Config config = setting({"a3c", "catch", 0});
  config.eval_greedy = true;
  Evaluation greedy(comm::Communicator::world(), config);
  config.method = "q";
  config.eval_greedy = false;
  config.eval_epsilon = 0;
  Evaluation first(comm::Communicator::world(), config);
  EXPECT_EQ(greedy.run(greedy.zeros(), 1), first.run(first.zeros(), 1));
  config.eval_epsilon = 1;
  Evaluation any(comm::Communicator::world(), config);
  EXPECT_NE(any.run(any.zeros(), 1), first.run(first.zeros(), 1));
}

}  // namespace
}  // namespace tenfold::a3c
