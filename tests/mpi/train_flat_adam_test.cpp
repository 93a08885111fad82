// Adam over all shards, with and without ZeRO-1, against a plain loop over the same shards: equal
// to it in every bit, whatever the number of ranks.
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "support/training_world.hpp"
#include "train/flat_adam.hpp"

namespace tenfold::train {
namespace {

using comm::Communicator;

constexpr std::int64_t kShards = 12;  // 1, 2, 3 and 4 ranks divide it
constexpr int kSteps = 7;
constexpr double kLr = 1e-2;

// With 12 shards: pieces of 96 elements, the 11th cut short, the 12th empty.
nn::ParameterLayout layout() {
  nn::ParameterLayout result;
  result.add("layer0.weight", {30, 31}, 0, 0, true);
  result.add("layer0.bias", {30}, 0, 0, false);
  result.add("layer1.weight", {1, 30}, 0, 0, true);
  return result;
}

float gradient_of(std::size_t shard, int step, std::int64_t index) {
  base::Stream stream(3, base::Purpose::kTest, static_cast<std::uint32_t>(shard),
                      static_cast<std::uint64_t>(step * 100000 + index));
  return static_cast<float>(stream.normal() * std::pow(10.0, stream.uniform(-3, 1)));
}

// Kingma & Ba 2015, algorithm 1, in float with torch's scalars.
std::vector<float> plain_adam(std::int64_t length, const std::vector<float>& l2) {
  std::vector<float> p, m(static_cast<std::size_t>(length)), v(m);
  for (std::int64_t i = 0; i < length; ++i) p.push_back(0.01F * static_cast<float>(i % 17));
  for (int t = 1; t <= kSteps; ++t) {
    const auto step_size = static_cast<float>(kLr / (1.0 - std::pow(0.9, t)));
    const auto root = static_cast<float>(std::sqrt(1.0 - std::pow(0.999, t)));
    for (std::size_t i = 0; i < p.size(); ++i) {
      float g = gradient_of(0, t, static_cast<std::int64_t>(i));
      for (std::size_t s = 1; s < kShards; ++s)
        g += gradient_of(s, t, static_cast<std::int64_t>(i));
      const float decay = l2[i] * p[i];
      g += decay;
      const float change = 0.1F * (g - m[i]);
      m[i] += change;
      const float kept = 0.999F * v[i];
      const float added = static_cast<float>(1.0 - 0.999) * g * g;
      v[i] = kept + added;
      p[i] -= step_size * m[i] / (std::sqrt(v[i]) / root + 1e-8F);
    }
  }
  return p;
}

struct Adam {
  Adam(ReduceMode mode, OptimizerOptions options)
      : training(Communicator::world(), kShards, mode),
        names(layout()),
        parameters(at::zeros({names.flat_size()}, at::kFloat)),
        l2(at::zeros({names.flat_size()}, at::kFloat)) {
    training.metrics().declare({"train/skipped_updates", "updates", "", "sum", ""});
    for (std::int64_t i = 0; i < names.flat_size(); ++i) {
      parameters.data_ptr<float>()[i] = 0.01F * static_cast<float>(i % 17);
      l2.data_ptr<float>()[i] = i < 930 ? 0.01F : 0.0F;
    }
    adam.emplace(*training.context().reducer, training.plan(), training.metrics(), names,
                 parameters, "critic", options);
    adam->set_decay(l2);
  }

  void fill(int step) {
    const at::Tensor& gradients = adam->gradients();
    const std::int64_t length = names.flat_size();
    gradients.fill_(0);
    for (std::size_t k = 0; k < training.plan().local(); ++k) {
      const std::int64_t group = gradients.size(0) == 1 ? 0 : static_cast<std::int64_t>(k);
      float* row = gradients.data_ptr<float>() + group * length;
      for (std::int64_t i = 0; i < length; ++i) {
        row[i] += gradient_of(training.plan().mine[k], step, i);
      }
    }
  }
  void run(int first, int last) {
    for (int t = first; t <= last; ++t) {
      fill(t);
      norm = adam->reduce();
      adam->step(kLr);
    }
  }
  std::vector<float> values() const {
    const float* data = parameters.data_ptr<float>();
    return {data, data + parameters.numel()};
  }

  test::TrainingWorld training;
  nn::ParameterLayout names;
  at::Tensor parameters, l2;
  std::optional<FlatAdam> adam;
  double norm = 0;
};

class FlatAdamOfAllShards : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Zero, FlatAdamOfAllShards, testing::Bool(),
                         [](const auto& name) { return name.param ? "one" : "none"; });

TEST_P(FlatAdamOfAllShards, OrderedIsThePlainLoopToTheBit) {
  Adam adam(ReduceMode::kOrdered, {.zero1 = GetParam()});
  adam.run(1, kSteps);
  const float* l2 = adam.l2.data_ptr<float>();
  const std::vector<float> expected =
      plain_adam(adam.names.flat_size(), {l2, l2 + adam.l2.numel()});
  EXPECT_EQ(adam.values(), expected);
  EXPECT_EQ(adam.adam->steps(), kSteps);
}

TEST_P(FlatAdamOfAllShards, TheNormIsOfTheWholeGradient) {
  Adam adam(ReduceMode::kOrdered, {.zero1 = GetParam()});
  adam.run(1, 1);
  long double squares = 0;
  for (std::int64_t i = 0; i < adam.names.flat_size(); ++i) {
    long double g = 0;
    for (std::size_t s = 0; s < kShards; ++s) g += gradient_of(s, 1, i);
    squares += g * g;
  }
  EXPECT_NEAR(adam.norm, static_cast<double>(std::sqrt(squares)), 1e-5 * adam.norm);
}

TEST(FlatAdamZero, FixedHasTheBitsOfFixedWithoutIt) {
  Adam whole(ReduceMode::kFixed, {});
  Adam shared(ReduceMode::kFixed, {.zero1 = true});
  whole.run(1, kSteps);
  shared.run(1, kSteps);
  EXPECT_EQ(whole.values(), shared.values());
}

TEST(FlatAdamZero, FastAgreesWithinRoundingAndRanksAgreeExactly) {
  Adam whole(ReduceMode::kFast, {});
  Adam shared(ReduceMode::kFast, {.zero1 = true});
  whole.run(1, kSteps);
  shared.run(1, kSteps);
  const std::vector<float> a = whole.values(), b = shared.values();
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 2e-4) << i;
  std::vector<float> of_root = b;
  Communicator::world().broadcast(std::span<float>(of_root));
  EXPECT_EQ(b, of_root);
}

// Rajbhandari et al. 2020, section 5.1: the optimizer's part of memory falls as 1/n.
TEST(FlatAdamZero, MemoryIsThatOfTheFormula) {
  const Adam whole(ReduceMode::kOrdered, {});
  const Adam shared(ReduceMode::kOrdered, {.zero1 = true});
  const std::int64_t length = whole.names.flat_size();
  EXPECT_EQ(length, 1008);  // 930, 30 and 30, each to a multiple of 16: 944 + 32 + 32
  EXPECT_EQ(whole.adam->state_bytes(), 12 * 1008);
  const Communicator world = Communicator::world();
  const std::int64_t ranks = world.size();
  std::int64_t largest = shared.adam->state_bytes();
  EXPECT_LE(largest, 12 * 96 * kShards / ranks) << "pieces of 96";
  largest = world.all_reduce(largest, comm::Op::kMax);
  // Rank 0 has the most: shards 0, n, 2 n, ...; of the buffer's end, shard 10 has 48 and shard 11
  // none.
  const std::map<std::int64_t, std::int64_t> elements{
      {1, 1008}, {2, 5 * 96 + 48}, {3, 4 * 96}, {4, 3 * 96}};
  EXPECT_EQ(largest, 4 * (2 * 96 * (kShards / ranks) + elements.at(ranks)));
}

TEST_P(FlatAdamOfAllShards, MomentsGoOnFromAnotherNumberOfRanks) {
  // What a checkpoint holds of each shard must not depend on the ranks: its digest is compared with
  // the one that a single rank computes for all shards.
  Adam adam(ReduceMode::kOrdered, {.zero1 = GetParam()});
  adam.run(1, 3);
  store::StateRegistry registry;
  adam.adam->state(registry);
  for (const store::StateField& field : registry.fields()) {
    if (field.scope == store::Scope::kReplicated) continue;
    ASSERT_EQ(field.shape, (std::vector<std::uint64_t>{96}));
    for (const std::size_t shard : adam.training.plan().mine) {
      const float* piece = static_cast<const float*>(field.data(shard));
      for (std::int64_t i = 0; i < 96; ++i) {
        const std::int64_t index = static_cast<std::int64_t>(shard) * 96 + i;
        if (index >= adam.names.flat_size()) {
          EXPECT_EQ(piece[i], 0) << "beyond the end";
          continue;
        }
        EXPECT_TRUE(std::isfinite(piece[i]));
        EXPECT_NE(piece[i], 0) << field.name << " of shard " << shard << " at " << i;
      }
    }
  }
  EXPECT_EQ(registry.fields().size(), GetParam() ? 3U : 7U);
}

TEST_P(FlatAdamOfAllShards, AGradientThatIsNotFiniteStopsAllRanks) {
  Adam adam(ReduceMode::kOrdered, {.zero1 = GetParam()});
  const Communicator world = Communicator::world();
  adam.fill(1);
  if (world.rank() == world.size() - 1) {
    adam.adam->gradients().data_ptr<float>()[950] = std::numeric_limits<float>::quiet_NaN();
  }
  try {
    adam.adam->reduce();
    ADD_FAILURE() << "it was accepted";
  } catch (const comm::AgreedError& error) {
    EXPECT_EQ(error.code(), base::Code::kNumeric);
    EXPECT_EQ(error.rank(), world.size() - 1);
    EXPECT_THAT(error.message(), testing::HasSubstr("critic layer0.bias"));
  }
}

TEST_P(FlatAdamOfAllShards, OverflowOfTheSumNamesItsParameter) {
  Adam adam(ReduceMode::kOrdered, {.zero1 = GetParam()});
  for (std::int64_t g = 0; g < adam.adam->gradients().size(0); ++g) {
    adam.adam->gradients()[g][980] = 3e38F;
  }
  try {
    adam.adam->reduce();
    ADD_FAILURE() << "it was accepted";
  } catch (const comm::AgreedError& error) {
    EXPECT_THAT(error.message(), testing::HasSubstr("critic layer1.weight"));
    EXPECT_THAT(error.message(), testing::HasSubstr("overflow"));
  }
}

TEST_P(FlatAdamOfAllShards, SkippingLeavesEverythingAsItIsAndGoesOn) {
  Adam skipping(ReduceMode::kOrdered, {.zero1 = GetParam(), .skip_nonfinite = true});
  skipping.run(1, 2);
  const std::vector<float> before = skipping.values();
  skipping.fill(3);
  if (Communicator::world().is_root()) {
    skipping.adam->gradients()[0][5] = std::numeric_limits<float>::infinity();
  }
  EXPECT_TRUE(std::isnan(skipping.adam->reduce()));
  skipping.adam->step(kLr);
  EXPECT_EQ(skipping.values(), before);
  EXPECT_EQ(skipping.adam->steps(), 3) << "the next update draws another minibatch";
  skipping.training.metrics().publish(3);
  if (Communicator::world().is_root()) {
    EXPECT_EQ(skipping.training.metrics().last("train/skipped_updates"), 1);
  }
  skipping.run(4, 4);
  EXPECT_NE(skipping.values(), before);
}

TEST_P(FlatAdamOfAllShards, AHundredSkipsInARowAreAnError) {
  Adam skipping(ReduceMode::kOrdered, {.zero1 = GetParam(), .skip_nonfinite = true});
  int skips = 0;
  try {
    for (; skips < 200; ++skips) {
      skipping.adam->gradients().fill_(std::numeric_limits<float>::quiet_NaN());
      skipping.adam->reduce();
      skipping.adam->step(kLr);
    }
  } catch (const comm::AgreedError& error) {
    EXPECT_THAT(error.message(), testing::HasSubstr("100 updates in a row"));
  }
  EXPECT_EQ(skips, 99);
}

}  // namespace
}  // namespace tenfold::train
