#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "nn/mlp.hpp"

namespace tenfold::nn {
namespace {

at::Tensor flat(std::int64_t size) {
  return at::empty({size}, at::kFloat).fill_(NAN);
}

const ParameterEntry& entry(const ParameterLayout& layout, const std::string& name) {
  for (const ParameterEntry& e : layout.entries()) {
    if (e.name == name) return e;
  }
  throw std::runtime_error("no entry " + name);
}

MlpSpec paper_actor() {
  MlpSpec spec;
  spec.input = 17;
  spec.hidden = {400, 300};
  spec.output = 6;
  spec.output_activation = kernels::Activation::kTanh;
  spec.final_init_bound = 3e-3;
  return spec;
}

MlpSpec paper_critic() {
  MlpSpec spec = paper_actor();
  spec.output = 1;
  spec.second_input = 6;
  spec.second_layer = 2;
  spec.output_activation = kernels::Activation::kIdentity;
  return spec;
}

TEST(ParameterLayout, AlignsEntriesAndNamesEveryIndex) {
  ParameterLayout layout;
  layout.add("a", {3, 5}, -1, 1, true);
  layout.add("b", {17}, 0, 0, false);
  layout.add("c", {16}, 0, 0, false);
  EXPECT_EQ(layout.entries()[1].offset, 16);
  EXPECT_EQ(layout.entries()[2].offset, 48);
  EXPECT_EQ(layout.flat_size(), 64);
  EXPECT_EQ(layout.parameter_count(), 15 + 17 + 16);
  EXPECT_EQ(layout.name_at(14), "a");
  EXPECT_EQ(layout.name_at(15), "padding");
  EXPECT_EQ(layout.name_at(32), "b");
  EXPECT_EQ(layout.name_at(63), "c");
  EXPECT_EQ(layout.name_at(64), "padding");
}

// papers/ddpg.md, oracle 9.13: 400*17+400 + 300*400+300 + 6*300+6.
TEST(Mlp, PaperActorHasTheCountedParameters) {
  EXPECT_EQ(Mlp(paper_actor()).parameters().parameter_count(), 129306);
}

TEST(Mlp, ActionEntersWhereTheSpecSays) {
  const Mlp second(paper_critic());
  EXPECT_EQ(entry(second.parameters(), "layer0.weight").shape,
            (std::vector<std::int64_t>{400, 17}));
  EXPECT_EQ(entry(second.parameters(), "layer1.weight").shape,
            (std::vector<std::int64_t>{300, 406}));
  MlpSpec spec = paper_critic();
  spec.second_layer = 1;
  const Mlp first(spec);
  EXPECT_EQ(entry(first.parameters(), "layer0.weight").shape, (std::vector<std::int64_t>{400, 23}));
  EXPECT_EQ(entry(first.parameters(), "layer1.weight").shape,
            (std::vector<std::int64_t>{300, 400}));
}

TEST(Mlp, StartValuesFillTheirBounds) {
  const Mlp mlp(paper_critic());
  const at::Tensor values = flat(mlp.parameters().flat_size());
  mlp.initialize(values, flat(0), 1, 0);
  for (const ParameterEntry& e : mlp.parameters().entries()) {
    const double fan_in = e.name.starts_with("layer0") ? 17 : 406;
    const double bound = e.name.starts_with("layer2") ? 3e-3 : 1 / std::sqrt(fan_in);
    const at::Tensor part = values.narrow(0, e.offset, e.size);
    const double largest = part.abs().max().item<double>();
    EXPECT_LE(largest, bound * (1 + 1e-6)) << e.name;
    if (e.size >= 100) {
      EXPECT_GT(largest, 0.95 * bound) << e.name;
      // A uniform's deviation is bound / sqrt(3).
      EXPECT_NEAR(part.square().mean().item<double>() / (bound * bound), 1.0 / 3, 0.06) << e.name;
      EXPECT_NEAR(part.mean().item<double>() / bound, 0, 0.12) << e.name;
    }
    for (std::int64_t i = e.offset + e.size; i % 16 != 0; ++i) {
      EXPECT_EQ(values.data_ptr<float>()[i], 0.0F) << "padding behind " << e.name;
    }
  }
}

TEST(Mlp, StartValuesDependOnSeedAndIndexOnly) {
  const Mlp mlp(paper_actor());
  const auto values = [&](std::uint32_t seed, std::uint32_t index) {
    const at::Tensor v = flat(mlp.parameters().flat_size());
    mlp.initialize(v, flat(0), seed, index);
    return v;
  };
  EXPECT_TRUE(at::equal(values(1, 0), values(1, 0)));
  EXPECT_FALSE(at::equal(values(1, 0), values(1, 1)));
  EXPECT_FALSE(at::equal(values(1, 0), values(2, 0)));
}

TEST(Mlp, WithoutAFinalBoundTheLastLayerStartsLikeTheOthers) {
  MlpSpec spec = paper_actor();
  spec.final_init_bound = 0;
  const Mlp mlp(spec);
  EXPECT_DOUBLE_EQ(entry(mlp.parameters(), "layer2.weight").init_high, 1 / std::sqrt(300.0));
  EXPECT_DOUBLE_EQ(entry(mlp.parameters(), "layer2.bias").init_low, -1 / std::sqrt(300.0));
}

TEST(Mlp, DecayFallsOnHiddenWeightsOnly) {
  MlpSpec spec = paper_critic();
  spec.batch_norm_input = true;
  spec.batch_norm_hidden = 1;
  const Mlp mlp(spec);
  const at::Tensor l2 = flat(mlp.parameters().flat_size());
  mlp.fill_decay(l2, 0.01);
  std::int64_t decaying = 0;
  for (const ParameterEntry& e : mlp.parameters().entries()) {
    const bool decays = e.name == "layer0.weight" || e.name == "layer1.weight";
    if (decays) decaying += e.size;
    const at::Tensor part = l2.narrow(0, e.offset, e.size);
    EXPECT_EQ(part.min().item<float>(), decays ? 0.01F : 0.0F) << e.name;
    EXPECT_EQ(part.max().item<float>(), decays ? 0.01F : 0.0F) << e.name;
  }
  EXPECT_EQ((l2 != 0).sum().item<std::int64_t>(), decaying);
}

TEST(Mlp, BatchNormStartsAsTheIdentityAndReplacesTheBias) {
  MlpSpec spec = paper_actor();
  spec.batch_norm_input = true;
  spec.batch_norm_hidden = 2;
  const Mlp mlp(spec);
  EXPECT_EQ(mlp.buffers().parameter_count(), 2 * (17 + 400 + 300));
  EXPECT_EQ(mlp.parameters().parameter_count(), 129306 - 700 + 2 * (17 + 400 + 300));
  const at::Tensor values = flat(mlp.parameters().flat_size());
  const at::Tensor buffers = flat(mlp.buffers().flat_size());
  mlp.initialize(values, buffers, 1, 0);
  const auto all = [](const at::Tensor& t, const ParameterEntry& e, double value) {
    return (t.narrow(0, e.offset, e.size) == value).all().item<bool>();
  };
  for (const std::string name : {"input_norm", "norm0", "norm1"}) {
    EXPECT_TRUE(all(values, entry(mlp.parameters(), name + ".weight"), 1));
    EXPECT_TRUE(all(values, entry(mlp.parameters(), name + ".bias"), 0));
    EXPECT_TRUE(all(buffers, entry(mlp.buffers(), name + ".running_mean"), 0));
    EXPECT_TRUE(all(buffers, entry(mlp.buffers(), name + ".running_var"), 1));
  }
}

TEST(Mlp, ImpossibleNetworksAreUsageErrors) {
  const auto refused = [](auto&& change) {
    MlpSpec spec = paper_critic();
    change(spec);
    try {
      Mlp mlp(spec);
      ADD_FAILURE() << "an impossible network was accepted";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
    }
  };
  refused([](MlpSpec& spec) { spec.input = 0; });
  refused([](MlpSpec& spec) { spec.output = -1; });
  refused([](MlpSpec& spec) { spec.hidden = {64, 0}; });
  refused([](MlpSpec& spec) { spec.second_layer = 4; });
  refused([](MlpSpec& spec) { spec.second_layer = 0; });
  refused([](MlpSpec& spec) { spec.batch_norm_hidden = 3; });
  refused([](MlpSpec& spec) { spec.batch_norm_eps = 0; });
}

}  // namespace
}  // namespace tenfold::nn
