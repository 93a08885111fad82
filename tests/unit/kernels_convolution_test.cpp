#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "kernels/convolution.hpp"

namespace tenfold::kernels {
namespace {

ConvGeometry geometry(std::int64_t height, std::int64_t width, std::int64_t channels,
                      std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  return {height,
          width,
          channels,
          kernel,
          stride,
          padding,
          (height + 2 * padding - kernel) / stride + 1,
          (width + 2 * padding - kernel) / stride + 1};
}

const std::vector<ConvGeometry> kGeometries = {
    geometry(1, 1, 1, 1, 1, 0), geometry(6, 5, 3, 3, 2, 1), geometry(5, 8, 2, 3, 1, 0),
    geometry(9, 7, 4, 4, 3, 2), geometry(4, 4, 1, 5, 2, 4), geometry(7, 3, 2, 2, 5, 1)};
constexpr std::int64_t kPictures = 3;

at::Tensor random_tensor(at::IntArrayRef shape, std::uint32_t index, at::ScalarType type) {
  base::Stream stream(12, base::Purpose::kTest, index, 0);
  const at::Tensor values = at::empty(shape, at::kFloat);
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    values.data_ptr<float>()[i] =
        static_cast<float>(type == at::kByte ? stream.below(256) : stream.normal());
  }
  return values.to(type);
}

at::Tensor pictures_of(const ConvGeometry& g, at::ScalarType type) {
  return random_tensor({kPictures, g.height, g.width, g.channels}, 1, type);
}

at::Tensor patches_of(const ConvGeometry& g) {
  return random_tensor({kPictures * g.places(), g.patch()}, 2, at::kFloat);
}

/// Calls body(index into pictures, or -1 in the padding, index into patches) for every number of
/// every patch.
template <class Body>
void for_each_pair(const ConvGeometry& g, const Body& body) {
  std::int64_t at = 0;
  for (std::int64_t n = 0; n < kPictures; ++n) {
    for (std::int64_t oy = 0; oy < g.out_height; ++oy) {
      for (std::int64_t ox = 0; ox < g.out_width; ++ox) {
        for (std::int64_t ky = 0; ky < g.kernel; ++ky) {
          for (std::int64_t kx = 0; kx < g.kernel; ++kx) {
            for (std::int64_t c = 0; c < g.channels; ++c, ++at) {
              const std::int64_t y = oy * g.stride + ky - g.padding;
              const std::int64_t x = ox * g.stride + kx - g.padding;
              const bool inside = y >= 0 && y < g.height && x >= 0 && x < g.width;
              body(inside ? ((n * g.height + y) * g.width + x) * g.channels + c : -1, at);
            }
          }
        }
      }
    }
  }
}

TEST(Convolution, PatchesHoldWhatLiesUnderTheKernel) {
  for (const ConvGeometry& g : kGeometries) {
    for (const at::ScalarType type : {at::kFloat, at::kByte}) {
      const at::Tensor pictures = pictures_of(g, type);
      const at::Tensor patches = patches_of(g);
      gather_patches(pictures, g, patches);
      const at::Tensor values = pictures.to(at::kFloat);
      for_each_pair(g, [&](std::int64_t picture, std::int64_t patch) {
        const float value = picture < 0 ? 0.0F : values.data_ptr<float>()[picture];
        ASSERT_EQ(patches.data_ptr<float>()[patch], type == at::kByte ? value / 255.0F : value);
      });
    }
  }
}

TEST(Convolution, AddingPatchesIsTheTransposeOfGatheringThem) {
  for (const ConvGeometry& g : kGeometries) {
    const at::Tensor patches = patches_of(g);
    const at::Tensor pictures = pictures_of(g, at::kFloat);
    add_patches(patches, g, pictures);
    std::vector<double> expected(static_cast<std::size_t>(pictures.numel()), 0.0);
    for_each_pair(g, [&](std::int64_t picture, std::int64_t patch) {
      if (picture >= 0)
        expected[static_cast<std::size_t>(picture)] += patches.data_ptr<float>()[patch];
    });
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(pictures.data_ptr<float>()[i], expected[i], 2e-6);
    }
  }
}

TEST(Convolution, BytesAreScaledAndWrongShapesAreABug) {
  const at::Tensor bytes = random_tensor({2, 300}, 3, at::kByte);
  const at::Tensor values = at::empty({2, 300}, at::kFloat);
  scale_bytes(bytes, values);
  for (std::int64_t i = 0; i < 600; ++i) {
    EXPECT_EQ(values.data_ptr<float>()[i],
              static_cast<float>(bytes.data_ptr<std::uint8_t>()[i]) / 255.0F);
  }
  const ConvGeometry& g = kGeometries[1];
  EXPECT_THROW(gather_patches(pictures_of(g, at::kFloat), g, at::empty({5, 27}, at::kFloat)),
               base::Error);
  EXPECT_THROW(scale_bytes(bytes, at::empty({3}, at::kFloat)), base::Error);
}

}  // namespace
}  // namespace tenfold::kernels
