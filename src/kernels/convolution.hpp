// What turns a convolution into a matrix product, and back: every place's patch becomes a row.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace tenfold::kernels {

/// Pictures lie as [height, width, channels]; padding is with zeros.
struct ConvGeometry {
  std::int64_t height = 0, width = 0, channels = 0;
  std::int64_t kernel = 0, stride = 1, padding = 0;
  std::int64_t out_height = 0, out_width = 0;
  std::int64_t places() const { return out_height * out_width; }
  std::int64_t patch() const { return kernel * kernel * channels; }
};

/// values = bytes / 255; uint8 and float32, contiguous, as many elements.
void scale_bytes(const at::Tensor& bytes, const at::Tensor& values);

/// patches[n places + place] = the kernel x kernel x channels numbers of picture n under that
/// place. pictures: [N, height, width, channels], contiguous, float32, or uint8 to be divided by
/// 255; patches: float32 [N places, patch], contiguous.
void gather_patches(const at::Tensor& pictures, const ConvGeometry& geometry,
                    const at::Tensor& patches);

/// The gradient of pictures (float32, overwritten) from that of their patches: the sum over all
/// patches that a number is in, rows of the kernel first.
void add_patches(const at::Tensor& patches, const ConvGeometry& geometry,
                 const at::Tensor& pictures);

}  // namespace tenfold::kernels
