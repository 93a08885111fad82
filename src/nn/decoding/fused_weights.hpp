// The fused engine's memory and weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "kernels/decoder_kernels.hpp"
#include "nn/transformer/transformer.hpp"

namespace tenfold::nn {

/// Zeroed float32 memory on a cache line, behind which whole vectors may be read.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  explicit FloatBuffer(std::int64_t count);
  float* data() const { return data_; }

 private:
  at::Tensor memory_;
  float* data_ = nullptr;
};

/// Zeroed memory that is read from end to end: in large pages where the system gives them.
class StreamedMemory {
 public:
  StreamedMemory() = default;
  /// Throws Code::kUsage where the machine has not so much.
  explicit StreamedMemory(std::int64_t bytes);
  std::byte* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte[], Free> memory_;
};

/// Where a weight's panels lie, in bytes from the first one's, and its bias where it has one.
struct PackedLinear {
  std::int64_t in = 0, out = 0;
  std::int64_t offset = 0;
  FloatBuffer bias;
};

struct FusedLayer {
  PackedLinear qkv, out, up, down;
  FloatBuffer norm1, norm1_bias, norm2, norm2_bias;
};

/// All weights of a model as the kernels read them. In bfloat16 every parameter is rounded; what is
/// small is kept as float32 nevertheless.
class FusedWeights {
 public:
  /// type: kFloat or kBFloat16.
  FusedWeights(const kernels::DecoderKernels& kernels, const TransformerConfig& config,
               at::ScalarType type);

  /// flat: of model's parameters, float32, on the CPU.
  void take(const ParameterLayout& layout, const float* flat);

  /// y[r] = start[r] + x[r] weight.
  void multiply(kernels::ConstRows x, std::int64_t rows, const PackedLinear& linear,
                kernels::ConstRows start, kernels::Rows y) const;
  /// [width] of a token, and of GPT-2 of a position.
  void embed(std::int32_t token, std::int64_t position, float* x) const;

  const std::vector<FusedLayer>& layers() const { return layers_; }
  const FloatBuffer& last_norm() const { return last_norm_; }
  const FloatBuffer& last_norm_bias() const { return last_norm_bias_; }
  const PackedLinear& head() const { return head_; }

 private:
  PackedLinear next_linear(std::int64_t in, std::int64_t out, bool bias);
  void pack(const PackedLinear& into, const float* weight, bool turned) const;
  void take_vector(const FloatBuffer& into, const float* from, std::int64_t count) const;
  std::int64_t number_bytes() const { return half_ ? 2 : 4; }
  template <class Number>
  Number* numbers(std::int64_t offset) const {
    return reinterpret_cast<Number*>(memory_.data() + offset);
  }

  const kernels::DecoderKernels& kernels_;
  TransformerConfig config_;
  bool half_, gpt2_;
  std::int64_t panel_bytes_ = 0;
  StreamedMemory memory_;  ///< panels as a forward pass reads them, then the embedding
  FloatBuffer position_embedding_, last_norm_, last_norm_bias_;
  std::vector<FusedLayer> layers_;
  PackedLinear head_;
};

}  // namespace tenfold::nn
