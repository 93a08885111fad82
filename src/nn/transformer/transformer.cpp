#include "nn/transformer/transformer.hpp"

#include <ATen/ops/empty.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/philox.hpp"
#include "nn/initialize.hpp"

namespace tenfold::nn {

namespace {

/// Standard deviations travel in init_high; equal bounds are constants.
constexpr double kDeviation = 0.02;

}  // namespace

Transformer::Transformer(TransformerConfig config) : config_(config) {
  config_.validate();
  config_.family == TransformerFamily::kLlama ? lay_out_llama() : lay_out_gpt2();
}

void Transformer::lay_out_llama() {
  const TransformerConfig& c = config_;
  const double residual = kDeviation / std::sqrt(2.0 * static_cast<double>(c.layers));
  const auto matrix = [&](std::string name, std::int64_t out, std::int64_t in, double deviation) {
    parameters_.add(std::move(name), {out, in}, 0, deviation, true);
  };
  const auto more = [&](std::string name, std::int64_t out, std::int64_t in) {
    parameters_.add_adjacent(std::move(name), {out, in}, 0, kDeviation, true);
  };
  const auto norm = [&](std::string name) {
    parameters_.add(std::move(name), {c.width}, 1, 1, false);
  };
  matrix("model.embed_tokens.weight", c.vocabulary, c.width, kDeviation);
  for (std::int64_t i = 0; i < c.layers; ++i) {
    const std::string at = fmt::format("model.layers.{}.", i);
    norm(at + "input_layernorm.weight");
    matrix(at + "self_attn.q_proj.weight", c.query_columns(), c.width, kDeviation);
    more(at + "self_attn.k_proj.weight", c.key_columns(), c.width);
    more(at + "self_attn.v_proj.weight", c.key_columns(), c.width);
    matrix(at + "self_attn.o_proj.weight", c.width, c.query_columns(), residual);
    norm(at + "post_attention_layernorm.weight");
    matrix(at + "mlp.gate_proj.weight", c.feed_forward, c.width, kDeviation);
    more(at + "mlp.up_proj.weight", c.feed_forward, c.width);
    matrix(at + "mlp.down_proj.weight", c.width, c.feed_forward, residual);
  }
  norm("model.norm.weight");
  if (!c.tied_embeddings) matrix("lm_head.weight", c.vocabulary, c.width, kDeviation);
}

void Transformer::lay_out_gpt2() {
  const TransformerConfig& c = config_;
  const double residual = kDeviation / std::sqrt(2.0 * static_cast<double>(c.layers));
  const auto linear = [&](const std::string& name, std::int64_t in, std::int64_t out,
                          double deviation) {
    parameters_.add(name + ".weight", {in, out}, 0, deviation, true);
    parameters_.add(name + ".bias", {out}, 0, 0, false);
  };
  const auto norm = [&](const std::string& name) {
    parameters_.add(name + ".weight", {c.width}, 1, 1, false);
    parameters_.add(name + ".bias", {c.width}, 0, 0, false);
  };
  parameters_.add("transformer.wte.weight", {c.vocabulary, c.width}, 0, kDeviation, true);
  parameters_.add("transformer.wpe.weight", {c.positions, c.width}, 0, kDeviation, true);
  for (std::int64_t i = 0; i < c.layers; ++i) {
    const std::string at = fmt::format("transformer.h.{}.", i);
    norm(at + "ln_1");
    linear(at + "attn.c_attn", c.width, 3 * c.width, kDeviation);
    linear(at + "attn.c_proj", c.width, c.width, residual);
    norm(at + "ln_2");
    linear(at + "mlp.c_fc", c.width, c.feed_forward, kDeviation);
    linear(at + "mlp.c_proj", c.feed_forward, c.width, residual);
  }
  norm("transformer.ln_f");
  if (!c.tied_embeddings) {
    parameters_.add("lm_head.weight", {c.vocabulary, c.width}, 0, kDeviation, true);
  }
}

void Transformer::initialize(const at::Tensor& flat, std::uint32_t seed) const {
  check_flat_shape(flat, parameters_);
  const at::Tensor host = at::empty({parameters_.flat_size()}, at::kFloat);
  auto* const values = host.data_ptr<float>();
  std::fill_n(values, parameters_.flat_size(), 0.0F);
  for (std::size_t e = 0; e < parameters_.entries().size(); ++e) {
    const ParameterEntry& entry = parameters_.entries()[e];
    float* const begin = values + entry.offset;
    if (entry.init_low == entry.init_high) {
      std::fill_n(begin, entry.size, static_cast<float>(entry.init_low));
      continue;
    }
    base::Stream stream(seed, base::Purpose::kParameterInit, 0, e);
    for (std::int64_t i = 0; i < entry.size; ++i) {
      begin[i] = static_cast<float>(entry.init_high * stream.normal());
    }
  }
  flat.copy_(host);
}

std::vector<double> Transformer::rotary_frequencies() const {
  const TransformerConfig& c = config_;
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < c.head_width / 2; ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(c.head_width);
    double frequency = std::pow(c.rope_theta, -exponent);
    if (c.llama3_rope) {
      const Llama3Rope& rope = *c.llama3_rope;
      const double turns =
          static_cast<double>(rope.original_positions) * frequency / (2 * std::numbers::pi);
      const double kept = std::clamp((turns - rope.low) / (rope.high - rope.low), 0.0, 1.0);
      frequency = (1 - kept) * frequency / rope.factor + kept * frequency;
    }
    frequencies.push_back(frequency);
  }
  return frequencies;
}

}  // namespace tenfold::nn
