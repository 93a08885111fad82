// Products for networks that act one row at a time: plain loops over flat memory, without dispatch,
// allocation or threads, compiled for several instruction sets.
#pragma once

#include <cstdint>

#include "kernels/activation.hpp"

namespace tenfold::kernels {

/// Float32 rows, stride numbers apart. Vectors of kLanes are read: up to kLanes - 1 numbers behind
/// a row must be readable, and behind the last row of a weight, too. They change no result, except
/// that those behind rows of dy must be finite.
struct ConstRows {
  const float* data;
  std::int64_t stride;
};
struct Rows {
  float* data;
  std::int64_t stride;
  operator ConstRows() const { return {data, stride}; }  // NOLINT(google-explicit-constructor)
};
constexpr std::int64_t kLanes = 16;

/// A convolution over pictures [height, width, channels] that are padded already.
struct ConvShape {
  std::int64_t width, channels, kernel, stride, out_height, out_width, filters;
};

/// All products take weights [in, out] in one piece; every sum runs in one order that depends on
/// the shape alone: row numbers, input numbers, filter taps upwards. No row's result depends on
/// another row. list: room for max(in, n) numbers.
struct SmallProducts {
  /// y[r] = start[r] + x[r] w. start with stride 0 is a bias; start may be y. Inputs that are zero
  /// cost nothing where out > kLanes.
  void (*forward)(ConstRows x, std::int64_t n, std::int64_t in, const float* w, std::int64_t out,
                  ConstRows start, Rows y, std::int32_t* list);
  /// dw = sum over r of x[r]^T dy[r].
  void (*weight_gradient)(ConstRows x, std::int64_t n, std::int64_t in, ConstRows dy,
                          std::int64_t out, float* dw, std::int32_t* list);
  /// dx[r] = w dy[r].
  void (*input_gradient)(ConstRows dy, std::int64_t n, std::int64_t out, const float* w,
                         std::int64_t in, Rows dx);
  /// sum[c] = sum over r of rows[r][c].
  void (*column_sums)(ConstRows rows, std::int64_t n, std::int64_t columns, float* sum);

  /// y[p] = bias + patch(p) w for one picture; w [kernel, kernel, channels, filters]; offset[p]:
  /// where the patch of place p begins in the picture; y [places, filters], offsets in numbers.
  void (*conv_forward)(const ConvShape& shape, const std::int32_t* offset, const float* picture,
                       const float* w, const float* bias, Rows y);
  /// The same bits, from the count numbers of the picture that are not zero (nonzeros).
  void (*conv_forward_sparse)(const ConvShape& shape, const float* picture,
                              const std::int32_t* nonzero, std::int64_t count, const float* w,
                              const float* bias, Rows y);
  /// dw += sum over p of patch(p)^T dy[p].
  void (*conv_weight_gradient)(const ConvShape& shape, const std::int32_t* offset,
                               const float* picture, ConstRows dy, float* dw);
  void (*conv_weight_gradient_sparse)(const ConvShape& shape, const float* picture,
                                      const std::int32_t* nonzero, std::int64_t count, ConstRows dy,
                                      float* dw);
  /// dpicture (zeroed by the caller) += what every place sends back; w_t: the weight transposed,
  /// [filters, kernel kernel channels].
  void (*conv_input_gradient)(const ConvShape& shape, const std::int32_t* offset, ConstRows dy,
                              const float* w_t, float* dpicture);
  /// Indices of numbers that are not zero, into list; returns how many.
  std::int64_t (*nonzeros)(const float* values, std::int64_t count, std::int32_t* list);
  /// values = bytes / 255.
  void (*scale_bytes)(const std::uint8_t* bytes, std::int64_t count, float* values);

  /// In place on count numbers in one piece.
  void (*activate)(float* values, std::int64_t count, Activation activation);
  /// dy *= activation'(y), from the activation's output y.
  void (*activation_backward)(float* dy, const float* y, std::int64_t count, Activation activation);
  /// One row of an LSTM: z [4 cells] holds preactivations of gates i, f, g, o, becomes the gates.
  /// c = f c_before + i g, tanh_c its tanh, h = o tanh_c.
  void (*lstm_forward)(std::int64_t cells, float* z, const float* c_before, float* c, float* tanh_c,
                       float* h);
  /// dz [4 cells] from dh and dc = d loss / d c without dh's share; dc becomes d loss / d c_before.
  void (*lstm_backward)(std::int64_t cells, const float* gates, const float* c_before,
                        const float* tanh_c, const float* dh, float* dc, float* dz);
};

/// Sets differ in rounding: in how they fuse multiply and add, and in how wide a sum's parts lie.
enum class InstructionSet { kBase, kAvx2, kAvx512 };
/// Null where this processor cannot run it, or the build is for other processors.
const SmallProducts* small_products(InstructionSet set);
/// The fastest that this processor runs: the same bits on one kind of machine.
const SmallProducts& small_products();

}  // namespace tenfold::kernels
