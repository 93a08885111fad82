// Low-rank adapters of a transformer (Hu et al. 2022): a second, small flat buffer beside the
// model's. The same weights without adapters are the model before: a reference policy that takes no
// memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "nn/parameter_layout.hpp"
#include "nn/transformer/lora_config.hpp"
#include "nn/transformer/low_rank.hpp"
#include "nn/transformer/transformer.hpp"

namespace tenfold::nn {

/// The names and places of adapters; no numbers. Names and shapes are those of PEFT's files
/// ("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight").
class Lora {
 public:
  /// model must outlive this. Throws Code::kUsage as LoraConfig::validate.
  Lora(const Transformer& model, LoraConfig config);

  const Transformer& model() const { return *model_; }
  const LoraConfig& config() const { return config_; }
  const ParameterLayout& parameters() const { return parameters_; }
  /// A uniform within 1 / sqrt(in) as PEFT has it, B 0: at first nothing is added. flat: float32
  /// [flat_size of parameters()]; streams as initialize_flat's, with index 1.
  void initialize(const at::Tensor& flat, std::uint32_t seed) const;
  /// Adds scale * B A to the matrices of the model's flat buffer, in place. Both buffers of one
  /// type on one device; adapters as initialize has them.
  void merge(const at::Tensor& adapters, const at::Tensor& flat) const;

  /// For each layer those of q, k and v, of the projection out of attention, of what leads into and
  /// of what leads out of the feed-forward part. adapters, gradient: as TransformerWeights takes
  /// them.
  std::vector<LowRank> low_ranks(const at::Tensor& adapters, const at::Tensor& gradient) const;

 private:
  struct Adapter {
    std::size_t matrix = 0;  ///< entry of the model's layout
    std::size_t a = 0, b = 0;
    std::int64_t column = 0;
  };
  using Group = std::vector<Adapter>;
  void lay_out(const std::string& layer, const std::vector<std::string>& modules);

  const Transformer* model_;
  LoraConfig config_;
  ParameterLayout parameters_;
  std::vector<Group> groups_;  ///< layers times four
};

}  // namespace tenfold::nn
