// The policy's updates on any number of ranks: the bits that one rank gets, and what a plain loop
// over LibTorch's autograd and AdamW's formula gives.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/philox.hpp"
#include "mcts_dpo/learning/policy_learner.hpp"
#include "support/tiny_transformer.hpp"
#include "support/training_world.hpp"

namespace tenfold::mcts_dpo {
namespace {

using comm::Communicator;

constexpr std::int64_t kShards = 4;
constexpr int kSteps = 4;
constexpr double kLr = 3e-3, kDecay = 0.1, kClip = 0.05;

std::vector<std::int32_t> drawn(base::Stream& stream, std::size_t count) {
  std::vector<std::int32_t> tokens;
  for (std::size_t i = 0; i < count; ++i) {
    tokens.push_back(static_cast<std::int32_t>(stream.below(19)));
  }
  return tokens;
}

// Seven questions, some with two pairs: shards get two questions, or one.
std::vector<PreferencePair> pairs_of(int step) {
  std::vector<PreferencePair> pairs;
  for (std::int64_t question = 0; question < 7; ++question) {
    base::Stream stream(1, base::Purpose::kTest, static_cast<std::uint32_t>(question),
                        static_cast<std::uint64_t>(step));
    for (std::int64_t k = 0; k <= question % 2; ++k) {
      PreferencePair pair;
      pair.question = question;
      pair.prefix = drawn(stream, 3);
      pair.winner = drawn(stream, 1 + stream.below(5));
      pair.loser = drawn(stream, 1 + stream.below(5));
      pair.smoothing = stream.uniform(0, 0.5);
      pair.reference_winner = stream.uniform(-20, -1);
      pair.reference_loser = stream.uniform(-20, -1);
      pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

std::vector<Imitation> sequences_of(int step) {
  std::vector<Imitation> sequences;
  for (std::uint32_t i = 0; i < 6; ++i) {
    base::Stream stream(2, base::Purpose::kTest, i, static_cast<std::uint64_t>(step));
    sequences.push_back({drawn(stream, 4 + i), 2});
  }
  return sequences;
}

PreferenceOptions preference() {
  PreferenceOptions options;
  options.beta = 0.3;
  options.nll = 0.2;
  return options;
}

struct Learner {
  Learner(const Communicator& communicator, train::ReduceMode mode, bool zero1 = false,
          at::ScalarType type = at::kFloat, bool skips = false)
      : training(communicator, kShards, mode),
        model(test::tiny_transformer()),
        parameters(at::zeros({model.parameters().flat_size()}, at::kFloat)) {
    model.initialize(parameters, 5);
    training.metrics().declare({"train/skipped_updates", "updates", "", "sum", ""});
    training.context().optimizer = {.zero1 = zero1, .skip_nonfinite = skips};
    LearnerOptions options;
    options.weight_decay = kDecay;
    options.clip = kClip;
    learner = std::make_unique<PolicyLearner>(options, all_parameters(model, parameters, type),
                                              training.context());
  }
  UpdateReport run() {
    UpdateReport report;
    for (int step = 0; step < kSteps; ++step) {
      report = learner->prefer(pairs_of(step), preference(), kLr);
      learner->imitate(sequences_of(step), kLr);
    }
    return report;
  }
  test::TrainingWorld training;
  nn::Transformer model;
  at::Tensor parameters;
  std::unique_ptr<PolicyLearner> learner;
};

TEST(PolicyLearner, HasTheBitsOfOneRank) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const auto mode : {train::ReduceMode::kOrdered, train::ReduceMode::kFixed}) {
      Learner alone(Communicator::self(), mode, false, type);
      const UpdateReport expected = alone.run();
      for (const bool zero1 : {false, true}) {
        Learner together(Communicator::world(), mode, zero1, type);
        const UpdateReport report = together.run();
        EXPECT_TRUE(at::equal(together.parameters, alone.parameters));
        EXPECT_EQ(report.loss, expected.loss);
        EXPECT_EQ(report.margin, expected.margin);
        EXPECT_EQ(report.winner_drift, expected.winner_drift);
        EXPECT_EQ(report.tokens, expected.tokens);
      }
    }
  }
}

// What bfloat16 computes, float32 parameters take: steps that no number of 8 bits would show.
TEST(PolicyLearner, LearnsInBfloat16) {
  Learner learner(Communicator::world(), train::ReduceMode::kOrdered, false, at::kBFloat16);
  const at::Tensor start = learner.parameters.clone();
  const std::vector<Imitation> batch = sequences_of(0);
  const double first = learner.learner->imitate(batch, 1e-6).loss;
  const at::Tensor moved = learner.parameters - start;
  EXPECT_GT(moved.abs().max().item<double>(), 0.5e-6);
  EXPECT_LT(moved.abs().max().item<double>(), 2e-6);
  double last = 0;
  for (int update = 0; update < 30; ++update) last = learner.learner->imitate(batch, 1e-2).loss;
  EXPECT_LT(last, 0.5 * first);
}

// A reference that finds a winner impossible makes the loss infinite, and its gradient -beta.
std::vector<PreferencePair> infinite() {
  std::vector<PreferencePair> pairs = pairs_of(0);
  pairs[2].reference_winner = std::numeric_limits<double>::infinity();
  return pairs;
}

TEST(PolicyLearner, LeavesOutUpdatesThatAreNotFinite) {
  for (const bool zero1 : {false, true}) {
    Learner learner(Communicator::world(), train::ReduceMode::kOrdered, zero1, at::kFloat, true);
    const auto& failure = learner.training.context().failure;
    learner.learner->prefer(pairs_of(0), preference(), kLr);
    const at::Tensor before = learner.parameters.clone();
    const auto bad = [&](int times) {
      for (int i = 0; i < times; ++i) {
        EXPECT_TRUE(learner.learner->prefer(infinite(), preference(), kLr).skipped);
      }
    };
    bad(3);
    EXPECT_TRUE(at::equal(learner.parameters, before));
    EXPECT_FALSE(failure.has_value());
    EXPECT_FALSE(learner.learner->prefer(pairs_of(0), preference(), kLr).skipped);
    EXPECT_FALSE(at::equal(learner.parameters, before));
    bad(3);
    ASSERT_FALSE(failure.has_value()) << "three in a row, and three before a good one";
    bad(1);
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->code(), base::Code::kNumeric);
    EXPECT_NE(failure->message().find("4 updates in a row were left out, the last one since the "
                                      "loss of update 9 is inf"),
              std::string::npos)
        << failure->message();
    learner.training.metrics().publish(9);
    if (Communicator::world().is_root()) {
      EXPECT_EQ(learner.training.metrics().last("train/skipped_updates"), 7);
    }
  }
}

TEST(PolicyLearner, StopsAtALossThatIsNotFinite) {
  Learner learner(Communicator::world(), train::ReduceMode::kFast);
  try {
    learner.learner->prefer(infinite(), preference(), kLr);
    ADD_FAILURE() << "it was accepted";
  } catch (const comm::AgreedError& error) {
    EXPECT_EQ(error.code(), base::Code::kNumeric);
  }
}

// One graph over the whole batch, unpacked, in double; AdamW as Loshchilov & Hutter write it.
class Plain {
 public:
  explicit Plain(const at::Tensor& start)
      : model_(test::tiny_transformer()),
        parameters_(start.to(at::kDouble)),
        m_(at::zeros_like(parameters_)),
        v_(at::zeros_like(parameters_)),
        decay_(at::zeros_like(parameters_)) {
    for (const nn::ParameterEntry& entry : model_.parameters().entries()) {
      if (entry.shape.size() == 2) decay_.narrow(0, entry.offset, entry.size).fill_(kDecay);
    }
  }

  // Sum over the tokens after prompt of log p, one sequence at a time.
  static at::Tensor log_probability(const nn::TransformerWeights& weights,
                                    std::vector<std::int32_t> tokens,
                                    const std::vector<std::int32_t>& more) {
    const std::size_t prompt = tokens.size();
    tokens.insert(tokens.end(), more.begin(), more.end());
    const std::vector<std::int64_t> ids(tokens.begin(), tokens.end());
    const auto length = static_cast<std::int64_t>(ids.size());
    const at::Tensor row = at::tensor(ids, at::kLong).unsqueeze(0);
    const at::Tensor logits = weights.logits(weights.hidden(
        nn::causal_block(row, at::tensor(std::vector<std::int64_t>{length}, at::kLong),
                         weights.model().config())))[0];
    at::Tensor sum = at::zeros({}, at::kDouble);
    for (std::size_t t = prompt; t < ids.size(); ++t) {
      const at::Tensor before = logits[static_cast<std::int64_t>(t) - 1];
      sum = sum + before[ids[t]] - before.exp().sum().log();
    }
    return sum;
  }

  void step(const std::function<at::Tensor(const nn::TransformerWeights&)>& loss) {
    at::Tensor gradient = at::zeros_like(parameters_);
    loss(nn::TransformerWeights(model_, parameters_, gradient)).backward();
    const double norm = gradient.norm().item<double>();
    clipped_ += norm > kClip;
    if (norm > kClip) gradient = gradient * (kClip / norm);
    ++steps_;
    m_ = 0.9 * m_ + 0.1 * gradient;
    v_ = 0.95 * v_ + 0.05 * gradient * gradient;
    parameters_ = parameters_ * (1 - kLr * decay_);
    parameters_ = parameters_ - kLr * (m_ / (1 - std::pow(0.9, steps_))) /
                                    ((v_ / (1 - std::pow(0.95, steps_))).sqrt() + 1e-8);
  }

  void run() {
    for (int k = 0; k < kSteps; ++k) {
      const auto pairs = pairs_of(k);
      step([&](const nn::TransformerWeights& weights) {
        at::Tensor sum = at::zeros({}, at::kDouble);
        for (const PreferencePair& pair : pairs) {
          const at::Tensor winner = log_probability(weights, pair.prefix, pair.winner);
          const at::Tensor loser = log_probability(weights, pair.prefix, pair.loser);
          const at::Tensor h =
              0.3 * (winner - pair.reference_winner - loser + pair.reference_loser);
          const double alpha = pair.smoothing;
          sum = sum + (1 - alpha) * (1 + (-h).exp()).log() + alpha * (1 + h.exp()).log() -
                0.2 * winner / static_cast<double>(pair.winner.size());
        }
        return sum / static_cast<double>(pairs.size());
      });
      const auto sequences = sequences_of(k);
      step([&](const nn::TransformerWeights& weights) {
        at::Tensor sum = at::zeros({}, at::kDouble);
        double tokens = 0;
        for (const Imitation& each : sequences) {
          const auto cut = each.tokens.begin() + each.prompt;
          sum =
              sum - log_probability(weights, {each.tokens.begin(), cut}, {cut, each.tokens.end()});
          tokens += static_cast<double>(each.tokens.end() - cut);
        }
        return sum / tokens;
      });
    }
  }
  const at::Tensor& parameters() const { return parameters_; }
  int clipped() const { return clipped_; }

 private:
  nn::Transformer model_;
  at::Tensor parameters_, m_, v_, decay_;
  int steps_ = 0, clipped_ = 0;
};

TEST(PolicyLearner, FollowsThePlainFormulas) {
  Learner learner(Communicator::world(), train::ReduceMode::kFast);
  const at::Tensor start = learner.parameters.clone();
  Plain plain(start);
  learner.run();
  plain.run();
  EXPECT_EQ(plain.clipped(), 2 * kSteps);
  // Adam divides by the root of small squares: its steps, of 1e-3 each, differ by what float32
  // leaves of the gradient.
  const at::Tensor moved = plain.parameters() - start;
  const at::Tensor off = learner.parameters.to(at::kDouble) - plain.parameters();
  EXPECT_LT(off.norm().item<double>(), 1e-3 * moved.norm().item<double>());
  EXPECT_GT(moved.abs().max().item<double>(), kLr);
}

}  // namespace
}  // namespace tenfold::mcts_dpo
