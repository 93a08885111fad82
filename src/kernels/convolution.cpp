#include "kernels/convolution.hpp"

#include "kernels/as_view.hpp"

namespace tenfold::kernels {

namespace {

KOKKOS_INLINE_FUNCTION float value_of(float value) {
  return value;
}
KOKKOS_INLINE_FUNCTION float value_of(std::uint8_t byte) {
  return static_cast<float>(byte) / 255.0F;
}

void check_shapes(const at::Tensor& pictures, const ConvGeometry& geometry,
                  const at::Tensor& patches) {
  const std::int64_t size = geometry.height * geometry.width * geometry.channels;
  base::require(
      pictures.numel() % size == 0 &&
          patches.numel() == pictures.numel() / size * geometry.places() * geometry.patch(),
      "convolution: pictures and patches do not fit");
}

// A row of the kernel lies in one piece in the picture: up to kernel x channels numbers. One line
// of places at a time, so that no index is divided within it.
template <class Number>
void gather(const at::Tensor& pictures, const ConvGeometry& geometry, const at::Tensor& patches) {
  check_shapes(pictures, geometry, patches);
  const Number* const in = as_flat<Number>(pictures).data();
  float* const out = as_flat<float>(patches).data();
  const ConvGeometry g = geometry;
  const std::int64_t lines = pictures.numel() / (g.height * g.width * g.channels) * g.out_height;
  for_whole_rows(
      patches, lines, KOKKOS_LAMBDA(std::int64_t line) {
        const std::int64_t n = line / g.out_height;
        const std::int64_t top = line % g.out_height * g.stride - g.padding;
        const std::int64_t wide = g.kernel * g.channels;
        float* p = out + line * g.out_width * g.patch();
        for (std::int64_t ox = 0; ox < g.out_width; ++ox) {
          const std::int64_t x = ox * g.stride - g.padding;
          const std::int64_t first = x < 0 ? -x * g.channels : 0;
          const std::int64_t end = x + g.kernel > g.width ? (g.width - x) * g.channels : wide;
          for (std::int64_t ky = 0; ky < g.kernel; ++ky, p += wide) {
            const std::int64_t y = top + ky;
            if (y < 0 || y >= g.height) {
              for (std::int64_t c = 0; c < wide; ++c) p[c] = 0.0F;
              continue;
            }
            const Number* const from = in + ((n * g.height + y) * g.width + x) * g.channels;
            for (std::int64_t c = 0; c < first; ++c) p[c] = 0.0F;
            for (std::int64_t c = first; c < end; ++c) p[c] = value_of(from[c]);
            for (std::int64_t c = end; c < wide; ++c) p[c] = 0.0F;
          }
        }
      });
}

}  // namespace

void scale_bytes(const at::Tensor& bytes, const at::Tensor& values) {
  base::require(bytes.numel() == values.numel(), "scale_bytes: shapes differ");
  const std::uint8_t* const in = as_flat<std::uint8_t>(bytes).data();
  float* const out = as_flat<float>(values).data();
  for_elements(
      values, values.numel(), KOKKOS_LAMBDA(std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) out[i] = value_of(in[i]);
      });
}

void gather_patches(const at::Tensor& pictures, const ConvGeometry& geometry,
                    const at::Tensor& patches) {
  if (pictures.scalar_type() == at::kByte) return gather<std::uint8_t>(pictures, geometry, patches);
  gather<float>(pictures, geometry, patches);
}

void add_patches(const at::Tensor& patches, const ConvGeometry& geometry,
                 const at::Tensor& pictures) {
  check_shapes(pictures, geometry, patches);
  const float* const in = as_flat<float>(patches).data();
  float* const out = as_flat<float>(pictures).data();
  const ConvGeometry g = geometry;
  const std::int64_t pixels = pictures.numel() / g.channels;
  for_whole_rows(
      pictures, pixels, KOKKOS_LAMBDA(std::int64_t pixel) {
        float* const sum = out + pixel * g.channels;
        for (std::int64_t c = 0; c < g.channels; ++c) sum[c] = 0.0F;
        const std::int64_t x = pixel % g.width + g.padding;
        const std::int64_t y = pixel / g.width % g.height + g.padding;
        const std::int64_t n = pixel / g.width / g.height;
        for (std::int64_t ky = y % g.stride; ky < g.kernel && ky <= y; ky += g.stride) {
          const std::int64_t oy = (y - ky) / g.stride;
          if (oy >= g.out_height) continue;
          for (std::int64_t kx = x % g.stride; kx < g.kernel && kx <= x; kx += g.stride) {
            const std::int64_t ox = (x - kx) / g.stride;
            if (ox >= g.out_width) continue;
            const float* const p = in + ((n * g.out_height + oy) * g.out_width + ox) * g.patch() +
                                   (ky * g.kernel + kx) * g.channels;
            for (std::int64_t c = 0; c < g.channels; ++c) sum[c] += p[c];
          }
        }
      });
}

}  // namespace tenfold::kernels
