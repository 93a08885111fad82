// What a decoder-only transformer does to rows of tokens, float32: plain loops over flat memory,
// without dispatch, allocation or threads, compiled for several instruction sets.
#pragma once

#include <cstdint>

#include "kernels/small_products.hpp"

namespace tenfold::kernels {

/// Keys and values of one layer in blocks of 2^block_shift tiles of kLanes tokens. A block holds,
/// head by head, its tiles: keys [head_width, kLanes], then values [kLanes, value_stride].
struct AttentionShape {
  std::int64_t heads, kv_heads, head_width;
  std::int64_t value_stride;  ///< head_width rounded up to whole kLanes
  int block_shift;
  std::int64_t block_stride;  ///< numbers from a block to the next in the pool

  std::int64_t key_numbers() const { return kLanes * head_width; }
  std::int64_t tile_numbers() const { return kLanes * (head_width + value_stride); }
  std::int64_t head_numbers() const { return tile_numbers() << block_shift; }
};

/// Whole vectors are read: up to kRowLanes - 1 numbers behind a row's columns must be readable, but
/// for exponentials and largest; they change no result. No row's result depends on another row:
/// every sum runs in one order that depends on the shape, and in attention on the row's position,
/// alone.
constexpr std::int64_t kRowLanes = 64;

struct DecoderKernels {
  /// A weight [in, out] lies in panels of this many outputs: [ceil(out / panel), in, panel].
  std::int64_t panel;
  /// weight(i, o) = from[i * in_stride + o * out_stride] -> packed, room for packed_size(in, out).
  void (*pack)(const float* from, std::int64_t in, std::int64_t out, std::int64_t in_stride,
               std::int64_t out_stride, float* packed);
  /// The same, rounded to bfloat16; numbers of a panel lie in an order of their own.
  void (*pack_bfloat16)(const float* from, std::int64_t in, std::int64_t out,
                        std::int64_t in_stride, std::int64_t out_stride, std::uint16_t* packed);
  /// y[r] = start[r] + x[r] w for n rows. start: data null = 0, stride 0 = a bias; may be y. The
  /// weight is read once, in order, for all rows; while its end is worked on, what lies behind it
  /// is fetched: memory for the next one.
  void (*product)(ConstRows x, std::int64_t n, std::int64_t in, const float* packed,
                  std::int64_t out, ConstRows start, Rows y);
  /// In float32, with the bits that product gives for the rounded weight.
  void (*product_bfloat16)(ConstRows x, std::int64_t n, std::int64_t in,
                           const std::uint16_t* packed, std::int64_t out, ConstRows start, Rows y);
  /// To the nearest, of two as near the even one; not-a-numbers stay so.
  void (*round)(const float* from, std::int64_t count, std::uint16_t* to);
  void (*widen)(const std::uint16_t* from, std::int64_t count, float* to);

  /// y = x / sqrt(mean(x^2) + epsilon) * weight; may be in place.
  void (*rms_norm)(const float* x, std::int64_t width, const float* weight, float epsilon,
                   float* y);
  /// y = (x - mean) / sqrt(variance + epsilon) * weight + bias; may be in place.
  void (*layer_norm)(const float* x, std::int64_t width, const float* weight, const float* bias,
                     float epsilon, float* y);
  /// Half-split rotation of each of heads heads in place, times scale; cosine, sine
  /// [head_width / 2].
  void (*rotate)(float* x, std::int64_t heads, std::int64_t head_width, const float* cosine,
                 const float* sine, float scale);
  /// values *= scale.
  void (*scale)(float* values, std::int64_t count, float scale);
  /// y = silu(gate) * up.
  void (*swiglu)(const float* gate, const float* up, std::int64_t count, float* y);
  /// In place, with tanh (Hendrycks and Gimpel 2016, as GPT-2 has it).
  void (*gelu)(float* values, std::int64_t count);

  /// One query: q [heads, head_width], scaled already; sees keys first to last of the sequence
  /// whose tile t lies in block blocks[t >> block_shift] of pool. scores: room for last + 1 +
  /// kRowLanes. y [heads, head_width].
  void (*attend)(const AttentionShape& shape, const float* q, const float* pool,
                 const std::int32_t* blocks, std::int64_t first, std::int64_t last, float* scores,
                 float* y);

  float (*largest)(const float* values, std::int64_t count);
  /// y = e^((x - shift) * scale), 0 below e^-87, in chunks of kChunk numbers, of which sums holds
  /// each one's sum.
  void (*exponentials)(const float* x, std::int64_t count, float shift, float scale, float* y,
                       double* sums);
};
constexpr std::int64_t kChunk = 256;

/// Numbers of a packed weight.
inline std::int64_t packed_size(const DecoderKernels& kernels, std::int64_t in, std::int64_t out) {
  return (out + kernels.panel - 1) / kernels.panel * kernels.panel * in;
}

/// Null where this processor cannot run it, or the build is for other processors.
const DecoderKernels* decoder_kernels(InstructionSet set);
/// The fastest that this processor runs: the same bits on one kind of machine.
const DecoderKernels& decoder_kernels();

}  // namespace tenfold::kernels
