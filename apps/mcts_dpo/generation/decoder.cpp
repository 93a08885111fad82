#include "mcts_dpo/generation/decoder.hpp"

#include <array>
#include <span>

#include "base/error.hpp"
#include "base/hash.hpp"

namespace tenfold::mcts_dpo {

bool decodes_fused(const Config& config, const at::Device& device) {
  return config.engine == "fused" || (config.engine == "auto" && device.is_cpu());
}

nn::SamplingOptions sampling_at(const Config& config, double temperature) {
  nn::SamplingOptions options;
  options.temperature = temperature;
  options.top_k = config.top_k;
  options.top_p = config.top_p;
  return options;
}

Decoder::Decoder(const Config& config, const nn::Transformer& model, const at::Device& device)
    : longest_(model.config().positions) {
  nn::DecodingOptions options;
  options.cache_bytes = config.cache_mib << 20;
  options.device = device;
  if (config.decode_type == "bfloat16") options.type = at::kBFloat16;
  const bool fused = decodes_fused(config, device);
  if (fused && !device.is_cpu()) {
    throw base::Error(base::Code::kUsage, "--engine fused decodes on the CPU alone",
                      "Choose --engine torch, or --device cpu");
  }
  engine_ =
      fused ? nn::make_fused_decoding(model, options) : nn::make_torch_decoding(model, options);
  generator_ =
      std::make_unique<nn::Generator>(*engine_, nn::GeneratorOptions{[this](std::int64_t missing) {
        return make_room_ && make_room_(missing);
      }});
}

void Decoder::require_room(std::int64_t prompt, std::int64_t samples, std::int64_t tokens) const {
  const nn::KvBlocksOptions& pool = engine_->blocks().options();
  const auto blocks_of = [&](std::int64_t count) {
    return (count + pool.block_tokens - 1) / pool.block_tokens;
  };
  // Each sample copies the prompt's last block when that is not full.
  const std::int64_t needed = blocks_of(prompt) + samples * (blocks_of(tokens) + 1);
  if (needed <= pool.blocks) return;
  const std::int64_t bytes = engine_->bytes_of_block();
  throw base::Error(
      base::Code::kUsage,
      fmt::format("--cache-mib holds {} bytes of keys and values, {} samples of {} tokens behind a "
                  "prompt of {} can need {}",
                  pool.blocks * bytes, samples, tokens, prompt, needed * bytes),
      fmt::format("Give --cache-mib {} or more", (needed * bytes + (1 << 20) - 1) >> 20));
}

void Decoder::set_parameters(const at::Tensor& flat) {
  base::require(generator_->idle(), "Decoder: parameters change while samples are drawn");
  engine_->set_parameters(flat);
  engine_->blocks().drop_stale();
}

nn::SampleKey sample_key(std::uint32_t seed, SampleUse use, std::uint64_t round,
                         std::uint64_t question, std::uint64_t place, std::uint64_t number) {
  const std::array<std::uint64_t, 5> parts{static_cast<std::uint64_t>(use), round, question, place,
                                           number};
  return {seed, static_cast<std::uint32_t>(question), base::xxh64(std::as_bytes(std::span(parts)))};
}

}  // namespace tenfold::mcts_dpo
