// Both engines of networks for rollouts: against a network in double and its central differences,
// against each other.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "support/filled_rollout.hpp"

namespace tenfold::nn {
namespace {

using kernels::Activation;
using test::apart;
using test::FilledRollout;

// Of each tensor's largest number.
constexpr double kClose = 1e-5;

RolloutSpec mlp(std::int64_t input, std::vector<std::int64_t> hidden, std::int64_t output,
                std::int64_t lstm = 0) {
  RolloutSpec spec;
  spec.input = input;
  spec.hidden = std::move(hidden);
  spec.output = output;
  spec.lstm = lstm;
  return spec;
}

RolloutSpec pictures(std::int64_t height, std::int64_t width, std::int64_t channels,
                     std::vector<RolloutConv::Layer> layers, std::vector<std::int64_t> hidden,
                     bool bytes = false, std::int64_t lstm = 0) {
  RolloutSpec spec = mlp(0, std::move(hidden), 4, lstm);
  spec.conv = RolloutConv{height, width, channels, bytes, std::move(layers)};
  return spec;
}

RolloutSpec dqn(std::int64_t lstm) {
  return pictures(84, 84, 4, {{16, 8, 4, 0}, {32, 4, 2, 0}}, {256}, true, lstm);
}

RolloutSpec with_tanh(RolloutSpec spec) {
  spec.hidden_activation = Activation::kTanh;
  if (spec.conv) spec.conv->activation = Activation::kTanh;
  return spec;
}

std::vector<RolloutSpec> variants() {
  return {mlp(4, {128}, 3),
          mlp(144, {64}, 4),
          mlp(9, {}, 18),
          mlp(7, {33, 20}, 37),
          mlp(5, {150, 50, 6}, 1),
          with_tanh(mlp(6, {24, 40}, 5)),
          mlp(3, {}, 2, 3),
          mlp(11, {30}, 5, 20),
          mlp(8, {48}, 6, 64),
          pictures(10, 10, 4, {{16, 3, 1, 0}}, {128}),
          pictures(10, 8, 3, {{5, 3, 2, 1}, {7, 3, 2, 1}}, {12}),
          pictures(9, 11, 2, {{20, 4, 3, 2}, {33, 2, 1, 1}}, {}, true),
          with_tanh(pictures(12, 12, 1, {{8, 5, 2, 2}, {6, 3, 1, 0}}, {10}, false, 9)),
          pictures(20, 21, 3, {{16, 8, 4, 0}, {32, 3, 1, 1}}, {24}, true, 16)};
}

std::string describe(const RolloutSpec& spec, std::int64_t rows) {
  std::string text = "input " + std::to_string(spec.input) + ", convolutions " +
                     std::to_string(spec.conv ? spec.conv->layers.size() : 0) + ", hidden";
  for (const std::int64_t width : spec.hidden) text += " " + std::to_string(width);
  return text + ", lstm " + std::to_string(spec.lstm) + ", rows " + std::to_string(rows);
}

// Both gradients, entry by entry; returns the worst.
double gradients_apart(const FilledRollout& actual, const test::NamedNumbers& expected) {
  double worst = 0;
  const test::NamedNumbers found = actual.named(actual.gradient);
  for (const auto& [name, values] : expected) {
    const double each = apart(found.at(name), values);
    EXPECT_LE(each, kClose) << name;
    worst = std::max(worst, each);
  }
  return worst;
}

void begin_episodes(FilledRollout& rollout) {
  rollout.begin(2, 0);
  rollout.begin(4, rollout.pass->rows() - 1);
}

TEST(Rollout, EnginesAgree) {
  double worst = 0;
  const auto both = [&](const RolloutSpec& spec, std::int64_t steps, std::int64_t rows,
                        double share) {
    SCOPED_TRACE(describe(spec, rows));
    FilledRollout fused(spec, RolloutEngine::kFused, steps, rows, share);
    FilledRollout torch(spec, RolloutEngine::kTorch, steps, rows, share);
    for (FilledRollout* each : {&fused, &torch}) {
      if (steps > 4) begin_episodes(*each);
      each->run(steps);
    }
    for (std::int64_t t = 0; t < steps; ++t) {
      const double each = apart(fused.pass->output(t), torch.pass->output(t));
      EXPECT_LE(each, kClose);
      worst = std::max(worst, each);
      EXPECT_LE(apart(fused.pass->state(t + 1), torch.pass->state(t + 1)), kClose);
    }
    worst = std::max(worst, gradients_apart(fused, torch.named(torch.gradient)));
  };
  for (const RolloutSpec& spec : variants()) {
    for (const std::int64_t rows : {1, 3, 20}) {
      for (const double share : {1.0, 0.1}) both(spec, 5, rows, share);
    }
  }
  for (const std::int64_t lstm : {0, 256}) {
    for (const std::int64_t rows : {1, 6}) both(dqn(lstm), 2, rows, 0.9);
  }
  RecordProperty("largest_difference", fmt::format("{:.1e}", worst));
}

TEST(Rollout, OutputsAndGradientsEqualThoseOfANetworkInDouble) {
  constexpr std::int64_t kSteps = 5;
  constexpr double kStep = 1e-6;
  double worst = 0;
  for (const RolloutSpec& spec :
       {mlp(4, {18}, 3), with_tanh(mlp(5, {6, 35}, 2)), mlp(3, {17}, 2, 5),
        pictures(7, 6, 2, {{4, 3, 2, 1}, {3, 2, 1, 0}}, {9}), mlp(2, {}, 20, 4),
        with_tanh(pictures(6, 6, 1, {{3, 3, 1, 0}}, {}, true, 4))}) {
    FilledRollout filled(spec, RolloutEngine::kFused, kSteps, 2);
    begin_episodes(filled);
    filled.run(kSteps);
    test::NamedNumbers p = filled.named(filled.parameters);
    const auto outputs = filled.naive_outputs(p, kSteps);
    for (std::int64_t t = 0; t < kSteps; ++t) {
      test::Numbers expected;
      for (const test::Numbers& row : outputs[static_cast<std::size_t>(t)]) {
        expected.insert(expected.end(), row.begin(), row.end());
      }
      EXPECT_LE(apart(filled.pass->output(t), expected), kClose);
    }
    const auto loss = [&] {
      double sum = 0;
      const auto found = filled.naive_outputs(p, kSteps);
      for (std::int64_t t = 0; t < kSteps; ++t) {
        auto slope = filled.pass->output_gradient(t).begin();
        for (const test::Numbers& row : found[static_cast<std::size_t>(t)]) {
          for (const double value : row) sum += value * *slope++;
        }
      }
      return sum;
    };
    test::NamedNumbers expected;
    for (auto& [name, values] : p) {
      for (double& value : values) {
        const double kept = value;
        value = kept + kStep;
        const double high = loss();
        value = kept - kStep;
        expected[name].push_back((high - loss()) / (2 * kStep));
        value = kept;
      }
    }
    SCOPED_TRACE(describe(spec, 2));
    worst = std::max(worst, gradients_apart(filled, expected));
    FilledRollout torch(spec, RolloutEngine::kTorch, kSteps, 2);
    begin_episodes(torch);
    torch.run(kSteps);
    gradients_apart(torch, expected);
  }
  RecordProperty("largest_difference", fmt::format("{:.1e}", worst));
}

}  // namespace
}  // namespace tenfold::nn
