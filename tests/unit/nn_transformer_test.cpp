// Transformers: packed rows against rows one by one, gradients against differences, losses in
// chunks against LibTorch's own. What Hugging Face computes is compared in tests/golden.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "nn/transformer/token_loss.hpp"
#include "nn/transformer/token_trie.hpp"

namespace tenfold::nn {
namespace {

TransformerConfig small_llama() {
  TransformerConfig config;
  config.vocabulary = 23;
  config.width = 24;
  config.layers = 2;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_width = 6;
  config.feed_forward = 40;
  config.positions = 64;
  return config;
}

TransformerConfig small_gpt2() {
  TransformerConfig config = small_llama();
  config.family = TransformerFamily::kGpt2;
  config.kv_heads = 4;
  config.tied_embeddings = true;
  return config;
}

TransformerConfig windowed() {
  TransformerConfig config = small_llama();
  config.sliding_window = 3;
  return config;
}

// Weights ten times as large as at a start, so that attention is far from uniform.
at::Tensor parameters_of(const Transformer& model, at::ScalarType type = at::kDouble) {
  at::Tensor flat = at::zeros({model.parameters().flat_size()}, at::kFloat);
  model.initialize(flat, 5);
  for (const ParameterEntry& entry : model.parameters().entries()) {
    if (entry.shape.size() == 2) flat.narrow(0, entry.offset, entry.size).mul_(10);
  }
  return flat.to(type);
}

using Tokens = std::vector<std::int32_t>;

// Three sequences: a common prefix of 4, two that part at 4, one that is a prefix of another.
const std::vector<Tokens> kSequences{
    {1, 5, 9, 2, 7, 8, 3, 11}, {1, 5, 9, 2, 4, 4, 20}, {1, 5, 9, 2, 7, 8}, {1, 22, 9}};

double rel(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

class Families : public testing::TestWithParam<TransformerConfig> {};
INSTANTIATE_TEST_SUITE_P(All, Families, testing::Values(small_llama(), small_gpt2(), windowed()));

// Sums of log-probabilities of everything after the first token of each sequence, weighted so that
// no two tokens count alike.
at::Tensor scores(const TransformerWeights& weights, bool packed, std::int64_t chunk = 1024) {
  std::vector<TokenTrie> tries(packed ? 1 : kSequences.size());
  std::vector<std::vector<std::int32_t>> paths;
  for (std::size_t s = 0; s < kSequences.size(); ++s) {
    paths.push_back(tries[packed ? 0 : s].add(kSequences[s]));
  }
  const TokenBlock block = pack(tries, weights.model().config(), at::kCPU);
  Predictions predictions;
  for (std::size_t s = 0; s < kSequences.size(); ++s) {
    const std::size_t row = packed ? 0 : s;
    for (std::size_t t = 1; t < paths[s].size(); ++t) {
      predictions.add(tries[row], static_cast<std::int64_t>(row), block.tokens.size(1),
                      paths[s][t]);
    }
  }
  return predicted(weights, block, predictions, chunk);
}

at::Tensor weighted(const at::Tensor& values) {
  std::vector<double> factors;
  for (std::int64_t i = 0; i < values.size(0); ++i) factors.push_back(std::cos(1.0 + i));
  return (values * at::tensor(factors, at::kDouble).to(values.scalar_type())).sum();
}

TEST_P(Families, PackedRowsAreRowsOneByOne) {
  const Transformer model(GetParam());
  const at::Tensor flat = parameters_of(model);
  const at::Tensor together = at::zeros_like(flat), apart = at::zeros_like(flat);
  const at::Tensor one = scores(TransformerWeights(model, flat, together), true);
  const at::Tensor many = scores(TransformerWeights(model, flat, apart), false);
  EXPECT_LT(rel(one, many), 1e-12);
  weighted(one).backward();
  weighted(many).backward();
  EXPECT_GT(apart.abs().max().item<double>(), 0.1);
  EXPECT_LT(rel(together, apart), 1e-12);
}

TEST_P(Families, RecomputedActivationsGiveTheSameBits) {
  const Transformer model(GetParam());
  const at::Tensor flat = parameters_of(model);
  const at::Tensor kept = at::zeros_like(flat), again = at::zeros_like(flat);
  weighted(scores(TransformerWeights(model, flat, kept), true)).backward();
  TransformerWeights weights(model, flat, again);
  weights.set_recompute(true);
  weighted(scores(weights, true)).backward();
  EXPECT_TRUE(kept.equal(again));
  EXPECT_GT(again.abs().max().item<double>(), 0.1);
}

// A plain row through causal_block, padded by any amount, gives the same numbers (M4).
// bfloat16 rounds to 8 bits, by 2^-9 at most. From an embedding to a loss and back a number is
// rounded about 15 times in each layer (both norms twice, four products, rotation three times,
// attention, activation, its product, two sums), and 4 times outside, each way.
TEST_P(Families, GradientsOfBfloat16AreThoseOfFloat32RoundedOnTheWay) {
  const Transformer model(GetParam());
  at::Tensor flat = at::zeros({model.parameters().flat_size()}, at::kFloat);
  model.initialize(flat, 5);
  const at::Tensor halves = flat.to(at::kBFloat16);
  flat.copy_(halves);
  const at::Tensor exact = at::zeros_like(flat);
  weighted(scores(TransformerWeights(model, flat, exact), true)).backward();
  const double bound = 2.0 * (15.0 * static_cast<double>(GetParam().layers) + 4) / 512;
  for (const bool recompute : {false, true}) {
    const at::Tensor found = at::zeros_like(flat);
    TransformerWeights weights(model, halves, found);
    weights.set_recompute(recompute);
    for (int times = 1; times <= 2; ++times) {  // gradients add up
      weighted(scores(weights, true, 3)).backward();
      const double off = ((found - times * exact).norm() / (times * exact).norm()).item<double>();
      EXPECT_LT(off, bound);
      EXPECT_GT(off, 1e-4) << "that was not computed in bfloat16";
    }
  }
}

// Sixty rows of one token: its row of the embedding gets 1200 gradients, of which a sum in bfloat16
// loses all but the first few hundred.
TEST(Transformer, SumsGradientsOfATokenInFloat32) {
  const Transformer model(small_llama());
  at::Tensor flat = at::zeros({model.parameters().flat_size()}, at::kFloat);
  model.initialize(flat, 5);
  const at::Tensor halves = flat.to(at::kBFloat16);
  flat.copy_(halves);
  const auto gradient_of = [&](const at::Tensor& parameters) {
    at::Tensor gradient = at::zeros_like(flat);
    const TransformerWeights weights(model, parameters, gradient);
    const at::Tensor tokens = at::zeros({60, 20}, at::kLong);
    const at::Tensor hidden =
        weights.hidden(causal_block(tokens, at::full({60}, 20, at::kLong), model.config()));
    hidden.select(-1, 0).sum().backward();
    return gradient.narrow(0, 0, model.config().width);
  };
  const at::Tensor exact = gradient_of(flat), found = gradient_of(halves);
  EXPECT_LT(((found - exact).norm() / exact.norm()).item<double>(), 2.0 * 34 / 512);
}

TEST_P(Families, PaddingChangesNothing) {
  const at::NoGradGuard no_gradients;
  const Transformer model(GetParam());
  const at::Tensor flat = parameters_of(model, at::kFloat);
  const TransformerWeights weights(model, flat);
  const Tokens& sequence = kSequences[0];
  at::Tensor before;
  for (const std::int64_t length : {8, 9, 17}) {
    const at::Tensor tokens = at::zeros({2, length}, at::kLong);
    for (std::int64_t t = 0; t < 8; ++t) {
      tokens.data_ptr<std::int64_t>()[t] = sequence[static_cast<std::size_t>(t)];
    }
    const at::Tensor lengths = at::tensor(std::vector<std::int64_t>{8, 1}, at::kLong);
    const at::Tensor hidden =
        weights.hidden(causal_block(tokens, lengths, model.config()))[0].narrow(0, 0, 8);
    EXPECT_TRUE(hidden.isfinite().all().item<bool>());
    if (before.defined()) {
      EXPECT_LT(rel(hidden, before), 1e-5);
    }
    before = hidden;
  }
}

// Central differences of the loss in double, at numbers drawn over all parameters (L9).
TEST_P(Families, GradientIsTheDifferenceQuotient) {
  const Transformer model(GetParam());
  const at::Tensor flat = parameters_of(model);
  const at::Tensor gradient = at::zeros_like(flat);
  weighted(scores(TransformerWeights(model, flat, gradient), true, 2)).backward();
  base::Stream stream(3, base::Purpose::kTest, 0, 0);
  const double scale = gradient.abs().max().item<double>();
  for (int i = 0; i < 60; ++i) {
    const auto& entries = model.parameters().entries();
    const ParameterEntry& entry = entries[stream.below(entries.size())];
    const auto index = entry.offset + static_cast<std::int64_t>(
                                          stream.below(static_cast<std::uint64_t>(entry.size)));
    double* const value = flat.data_ptr<double>() + index;
    const double kept = *value, step = 1e-5;
    const at::NoGradGuard no_gradients;
    const auto loss_at = [&](double moved) {
      *value = moved;
      const double loss = weighted(scores(TransformerWeights(model, flat), true)).item<double>();
      *value = kept;
      return loss;
    };
    const double quotient = (loss_at(kept + step) - loss_at(kept - step)) / (2 * step);
    EXPECT_NEAR(gradient.data_ptr<double>()[index], quotient, 1e-6 * scale)
        << entry.name << " " << index - entry.offset;
  }
}

TEST(TokenLoss, ChunksAreLogSoftmax) {
  const at::Tensor hidden = at::randn({13, 6}, at::kDouble).requires_grad_(true);
  const at::Tensor head = at::randn({9, 6}, at::kDouble).requires_grad_(true);
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 13; ++i) ids.push_back((5 * i) % 9);
  const at::Tensor targets = at::tensor(ids, at::kLong);
  weighted(at::log_softmax(hidden.matmul(head.t()), 1).gather(1, targets.unsqueeze(1)).squeeze(1))
      .backward();
  const at::Tensor to_hidden = hidden.grad().clone(), to_head = head.grad().clone();
  for (const std::int64_t chunk : {1, 4, 13, 1000}) {
    hidden.mutable_grad() = at::Tensor();
    head.mutable_grad() = at::Tensor();
    weighted(token_log_probabilities(hidden, head, targets, chunk)).backward();
    EXPECT_LT(rel(hidden.grad(), to_hidden), 1e-13);
    EXPECT_LT(rel(head.grad(), to_head), 1e-13);
  }
}

TEST(TokenTrie, SharesPrefixes) {
  TokenTrie trie;
  for (const Tokens& sequence : kSequences) trie.add(sequence);
  EXPECT_EQ(trie.size(), 8 + 3 + 2);
  EXPECT_EQ(trie.add(kSequences[2]).back(), 5);  // the sixth token of the first sequence
  EXPECT_EQ(trie.parent(0), -1);
  EXPECT_EQ(trie.depth(trie.add(kSequences[1]).back()), 6);
}

TEST(Transformer, RefusesShapesThatMakeNoModel) {
  const auto message = [](auto change) -> std::string {
    TransformerConfig config = small_llama();
    change(config);
    try {
      Transformer{config};
    } catch (const base::Error& error) {
      return error.message();
    }
    return "accepted";
  };
  EXPECT_EQ(message([](auto& c) { c.kv_heads = 3; }),
            "transformer: kv_heads = 3 must divide heads = 4");
  EXPECT_EQ(message([](auto& c) { c.head_width = 5; }), "transformer: head_width = 5 must be even");
  EXPECT_EQ(message([](auto& c) { c.layers = 0; }),
            "transformer: layers must be at least 1, got 0");
  EXPECT_EQ(message([](auto& c) { c.vocabulary = std::int64_t{1} << 40; }),
            "transformer: an extent of 1099511627776 is not plausible");
  EXPECT_EQ(message([](auto& c) { c.layers = 1'000'000'000; }),
            "transformer: 1000000000 layers are not plausible (at most 10000)");
  EXPECT_EQ(message([](auto& c) { c.positions = std::int64_t{1} << 30; }),
            "transformer: 1073741824 positions are not plausible (at most 16777216)");
  EXPECT_THAT(message([](auto& c) { c.width = c.feed_forward = std::int64_t{1} << 30; }),
              ::testing::HasSubstr("parameters are not plausible (width 1073741824"));
  EXPECT_EQ(message([](auto&) {}), "accepted");
}

// Mistral-7B's own shape: 7,241,732,096 parameters.
TEST(Transformer, CountsMistral) {
  TransformerConfig config;
  config.vocabulary = 32000;
  config.width = 4096;
  config.layers = 32;
  config.heads = 32;
  config.kv_heads = 8;
  config.head_width = 128;
  config.feed_forward = 14336;
  config.positions = 32768;
  EXPECT_EQ(Transformer(config).parameters().parameter_count(), 7'241'732'096);
}

// Llama 3.1's frequencies: untouched above 8192 / 4 turns, an eighth below 8192 / 1.
TEST(Transformer, RescalesRotaryFrequencies) {
  TransformerConfig config = small_llama();
  config.head_width = 128;
  config.rope_theta = 500000;
  const std::vector<double> plain = Transformer(config).rotary_frequencies();
  config.llama3_rope = Llama3Rope{};
  const std::vector<double> scaled = Transformer(config).rotary_frequencies();
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const double wavelength = 2 * 3.14159265358979323846 / plain[i];
    const double s = (8192 / wavelength - 1) / (4 - 1);
    const double expected = wavelength < 8192.0 / 4   ? plain[i]
                            : wavelength > 8192.0 / 1 ? plain[i] / 8
                                                      : (1 - s) * plain[i] / 8 + s * plain[i];
    EXPECT_NEAR(scaled[i], expected, 1e-12 * expected);
  }
  EXPECT_EQ(scaled.front(), plain.front());
  EXPECT_DOUBLE_EQ(scaled.back(), plain.back() / 8);
}

}  // namespace
}  // namespace tenfold::nn
