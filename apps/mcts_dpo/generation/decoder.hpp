// One model that generates: the engine with its cache, and the batch over it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "mcts_dpo/config.hpp"
#include "nn/decoding/generator.hpp"

namespace tenfold::mcts_dpo {

/// Whether --engine and the device make it the fused engine.
bool decodes_fused(const Config& config, const at::Device& device);

/// --top-k and --top-p at a temperature.
nn::SamplingOptions sampling_at(const Config& config, double temperature);

class Decoder {
 public:
  /// model must outlive this. Throws Code::kUsage where engine and device do not fit, or the cache
  /// holds no block.
  Decoder(const Config& config, const nn::Transformer& model, const at::Device& device);

  /// Takes a copy; what was read before is forgotten.
  void set_parameters(const at::Tensor& flat);
  /// Asked for room when the cache is full (nn::GeneratorOptions::make_room).
  void on_full(std::function<bool(std::int64_t)> make_room) { make_room_ = std::move(make_room); }

  /// Throws Code::kUsage, naming bytes, where samples of so many tokens behind a prompt of so many
  /// may not fit into the cache even when nothing else is there.
  void require_room(std::int64_t prompt, std::int64_t samples, std::int64_t tokens) const;

  nn::Generator& generator() { return *generator_; }
  nn::KvBlocks& blocks() { return engine_->blocks(); }
  std::int64_t most_rows() const { return engine_->most_rows(); }
  std::int64_t longest() const { return longest_; }
  std::int64_t width() const { return engine_->config().width; }
  const nn::GenerationStatistics& statistics() const { return generator_->statistics(); }

 private:
  std::unique_ptr<nn::DecodingEngine> engine_;
  std::unique_ptr<nn::Generator> generator_;
  std::function<bool(std::int64_t)> make_room_;
  std::int64_t longest_;
};

/// What a sample is for: part of its random stream.
enum class SampleUse : std::uint8_t {
  kStep = 1,
  kSolution = 2,
  kEvaluation = 3,
  kTemperature = 4,
  kLoser = 5
};

/// The stream of one sample: question and round name it, place says where in the question (a node's
/// Tree::path_key), number which of those drawn there.
nn::SampleKey sample_key(std::uint32_t seed, SampleUse use, std::uint64_t round,
                         std::uint64_t question, std::uint64_t place, std::uint64_t number);

}  // namespace tenfold::mcts_dpo
