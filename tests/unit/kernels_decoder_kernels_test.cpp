// Every instruction set that this machine runs, against sums in double.
#include <c10/util/BFloat16.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/philox.hpp"
#include "kernels/decoder_kernels.hpp"

namespace tenfold::kernels {
namespace {

constexpr float kUntouched = 12345.0F;

class DecoderKernelsOf : public testing::TestWithParam<InstructionSet> {
 protected:
  void SetUp() override {
    if (decoder_kernels(GetParam()) == nullptr) GTEST_SKIP() << "not on this processor";
    kernels_ = decoder_kernels(GetParam());
  }
  std::vector<float> numbers(std::int64_t count, double scale = 1) {
    std::vector<float> values(static_cast<std::size_t>(count + kRowLanes), kUntouched);
    for (std::int64_t i = 0; i < count; ++i) {
      values[static_cast<std::size_t>(i)] = static_cast<float>(scale * stream_.normal());
    }
    return values;
  }
  const DecoderKernels* kernels_ = nullptr;
  base::Stream stream_{6, base::Purpose::kTest, 0, 0};
};

TEST_P(DecoderKernelsOf, ProductsAreSumsAndARowIsTheSameAmongAnyOthers) {
  for (const std::int64_t in : {1, 7, 64, 130}) {
    for (const std::int64_t out : {1, 15, 64, 97, 128, 200}) {
      // Room in which the panels behind may be looked ahead for, too.
      const std::vector<float> w = numbers(in * out);
      std::vector<float> packed(static_cast<std::size_t>(packed_size(*kernels_, in, out)));
      kernels_->pack(w.data(), in, out, 1, in, packed.data());
      const std::int64_t x_stride = in + 3, y_stride = out + 5;
      const std::vector<float> x = numbers(20 * x_stride), bias = numbers(out);
      const std::vector<float> start = numbers(20 * y_stride);
      std::vector<std::vector<float>> alone;
      for (std::int64_t r = 0; r < 20; ++r) {
        alone.push_back(std::vector<float>(static_cast<std::size_t>(out + kRowLanes), kUntouched));
        kernels_->product({x.data() + r * x_stride, x_stride}, 1, in, packed.data(), out,
                          {start.data() + r * y_stride, y_stride}, {alone.back().data(), 0});
        for (std::int64_t o = 0; o < out; ++o) {
          double sum = start[static_cast<std::size_t>(r * y_stride + o)];
          double size = std::abs(sum);
          for (std::int64_t i = 0; i < in; ++i) {
            const double term = static_cast<double>(x[static_cast<std::size_t>(r * x_stride + i)]) *
                                static_cast<double>(w[static_cast<std::size_t>(o * in + i)]);
            sum += term;
            size += std::abs(term);
          }
          ASSERT_NEAR(alone.back()[static_cast<std::size_t>(o)], sum,
                      static_cast<double>(in + 1) * 0x1p-24 * size);
        }
        ASSERT_EQ(alone.back()[static_cast<std::size_t>(out)], kUntouched);
      }
      for (const std::int64_t n : {2, 5, 6, 7, 13, 18, 20}) {
        std::vector<float> y = start;
        kernels_->product({x.data(), x_stride}, n, in, packed.data(), out, {y.data(), y_stride},
                          {y.data(), y_stride});
        for (std::int64_t r = 0; r < n; ++r) {
          for (std::int64_t o = 0; o < out; ++o) {
            ASSERT_EQ(y[static_cast<std::size_t>(r * y_stride + o)],
                      alone[static_cast<std::size_t>(r)][static_cast<std::size_t>(o)]);
          }
        }
        EXPECT_EQ(y[static_cast<std::size_t>(out)], start[static_cast<std::size_t>(out)]);
      }
      // From zero, and from a bias that all rows share; a weight that lies the other way round.
      std::vector<float> turned(w.size());
      for (std::int64_t o = 0; o < out; ++o) {
        for (std::int64_t i = 0; i < in; ++i) {
          turned[static_cast<std::size_t>(i * out + o)] = w[static_cast<std::size_t>(o * in + i)];
        }
      }
      std::vector<float> again(packed.size());
      kernels_->pack(turned.data(), in, out, out, 1, again.data());
      EXPECT_EQ(packed, again);
      std::vector<float> zero = numbers(2 * y_stride), biased = zero;
      kernels_->product({x.data(), x_stride}, 2, in, packed.data(), out, {nullptr, 0},
                        {zero.data(), y_stride});
      kernels_->product({x.data(), x_stride}, 2, in, packed.data(), out, {bias.data(), 0},
                        {biased.data(), y_stride});
      for (std::int64_t o = 0; o < out; ++o) {
        const auto at = static_cast<std::size_t>(y_stride + o);
        ASSERT_NEAR(biased[at], zero[at] + bias[static_cast<std::size_t>(o)],
                    1e-5 * (1 + std::abs(zero[at])));
      }
    }
  }
}

// Rounded by LibTorch's own type.
TEST_P(DecoderKernelsOf, Bfloat16IsTheNearestAndWidensToItself) {
  std::vector<float> values = {0.0F,
                               -0.0F,
                               1.00390625F,  // between two, the even one is below
                               1.01171875F,  // the even one is above
                               std::nextafter(1.00390625F, 2.0F),
                               std::numeric_limits<float>::max(),
                               std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::denorm_min(),
                               -1e-39F};
  while (values.size() < 5000) {
    values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(stream_.below(1ULL << 32))));
  }
  values.push_back(std::bit_cast<float>(0x7f800001U));
  values.push_back(std::nanf(""));
  std::vector<std::uint16_t> rounded(values.size());
  std::vector<float> widened(values.size());
  const auto count = static_cast<std::int64_t>(values.size());
  kernels_->round(values.data(), count, rounded.data());
  kernels_->widen(rounded.data(), count, widened.data());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) {
      EXPECT_TRUE(std::isnan(widened[i])) << "number " << i;
      continue;
    }
    const c10::BFloat16 expected(values[i]);
    EXPECT_EQ(rounded[i], expected.x) << values[i];
    EXPECT_EQ(std::bit_cast<std::uint32_t>(widened[i]),
              std::bit_cast<std::uint32_t>(static_cast<float>(expected)));
  }
}

TEST_P(DecoderKernelsOf, ProductsWithBfloat16HaveTheBitsOfTheRoundedWeights) {
  constexpr std::int64_t kRows = 100;
  for (const std::int64_t in : {1, 130, 600}) {
    for (const std::int64_t out : {15, 64, 97, 200}) {
      const std::vector<float> w = numbers(in * out);
      std::vector<float> nearest = w;
      for (float& each : nearest) each = static_cast<float>(c10::BFloat16(each));
      const auto size = static_cast<std::size_t>(packed_size(*kernels_, in, out));
      std::vector<float> packed(size);
      std::vector<std::uint16_t> half(size);
      kernels_->pack(nearest.data(), in, out, 1, in, packed.data());
      kernels_->pack_bfloat16(w.data(), in, out, 1, in, half.data());
      const std::vector<float> x = numbers(kRows * in), start = numbers(kRows * out);
      std::vector<float> alone = start;
      for (std::int64_t r = 0; r < kRows; ++r) {
        kernels_->product({x.data() + r * in, in}, 1, in, packed.data(), out,
                          {start.data() + r * out, out}, {alone.data() + r * out, out});
      }
      for (const std::int64_t n : {1, 4, 6, 7, 12, 14, 19, 96, 100}) {
        std::vector<float> whole = start, halves = start;
        kernels_->product({x.data(), in}, n, in, packed.data(), out, {whole.data(), out},
                          {whole.data(), out});
        kernels_->product_bfloat16({x.data(), in}, n, in, half.data(), out, {halves.data(), out},
                                   {halves.data(), out});
        const auto bytes = static_cast<std::size_t>(n * out) * sizeof(float);
        ASSERT_EQ(0, std::memcmp(whole.data(), alone.data(), bytes)) << n << " rows of " << in;
        ASSERT_EQ(0, std::memcmp(halves.data(), alone.data(), bytes)) << n << " rows of " << in;
        const auto behind = static_cast<std::size_t>(n * out);
        EXPECT_EQ(halves[behind], start[behind]);
      }
    }
  }
}

TEST_P(DecoderKernelsOf, NormsActivationsAndRotationsAreTheirDefinitions) {
  for (const std::int64_t width : {2, 6, 16, 48, 70}) {
    const std::vector<float> x = numbers(width, 3), weight = numbers(width), bias = numbers(width);
    double mean = 0, squares = 0, spread = 0;
    for (std::int64_t i = 0; i < width; ++i) mean += x[i] / static_cast<double>(width);
    for (std::int64_t i = 0; i < width; ++i) {
      squares += static_cast<double>(x[i]) * x[i] / static_cast<double>(width);
      spread += (x[i] - mean) * (x[i] - mean) / static_cast<double>(width);
    }
    std::vector<float> rms = numbers(width), layer = rms, glu = rms, gelu = x, scaled = x;
    kernels_->rms_norm(x.data(), width, weight.data(), 1e-5F, rms.data());
    kernels_->layer_norm(x.data(), width, weight.data(), bias.data(), 1e-5F, layer.data());
    kernels_->swiglu(x.data(), bias.data(), width, glu.data());
    kernels_->gelu(gelu.data(), width);
    kernels_->scale(scaled.data(), width, 0.25F);
    for (std::int64_t i = 0; i < width; ++i) {
      const double v = x[i];
      EXPECT_NEAR(rms[i], v / std::sqrt(squares + 1e-5) * weight[i], 1e-5);
      EXPECT_NEAR(layer[i], (v - mean) / std::sqrt(spread + 1e-5) * weight[i] + bias[i], 1e-5);
      EXPECT_NEAR(glu[i], v / (1 + std::exp(-v)) * bias[i], 1e-5);
      EXPECT_NEAR(gelu[i],
                  0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))),
                  3e-6);
      EXPECT_EQ(scaled[i], 0.25F * x[i]);
    }
    for (const auto* of : {&rms, &layer, &glu, &gelu}) EXPECT_EQ((*of)[width], kUntouched);

    constexpr std::int64_t kHeads = 3;
    std::vector<float> heads = numbers(kHeads * width), turned = heads, cosine = numbers(width / 2);
    std::vector<float> sine = numbers(width / 2);
    kernels_->rotate(turned.data(), kHeads, width, cosine.data(), sine.data(), 0.5F);
    for (std::int64_t h = 0; h < kHeads; ++h) {
      for (std::int64_t i = 0; i < width / 2; ++i) {
        const std::int64_t low = h * width + i, high = low + width / 2;
        EXPECT_NEAR(turned[low], 0.5 * (heads[low] * cosine[i] - heads[high] * sine[i]), 1e-5);
        EXPECT_NEAR(turned[high], 0.5 * (heads[high] * cosine[i] + heads[low] * sine[i]), 1e-5);
      }
    }
    EXPECT_EQ(turned[kHeads * width], kUntouched);
  }
}

TEST_P(DecoderKernelsOf, ExponentialsAndTheirSums) {
  const std::vector<float> x = numbers(600, 4);
  float most = x[0];
  for (int i = 0; i < 600; ++i) most = std::max(most, x[i]);
  EXPECT_EQ(kernels_->largest(x.data(), 600), most);
  EXPECT_EQ(kernels_->largest(x.data(), 1), x[0]);
  std::vector<float> y = numbers(600);
  double sums[3] = {};
  kernels_->exponentials(x.data(), 600, most, 0.5F, y.data(), sums);
  double expected[3] = {};
  for (int i = 0; i < 600; ++i) {
    const double e = std::exp((static_cast<double>(x[i]) - most) * 0.5);
    EXPECT_NEAR(y[i], e, 1e-6 * e);
    expected[i / kChunk] += e;
  }
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(sums[c], expected[c], 1e-5 * expected[c]);
  EXPECT_EQ(y[600], kUntouched);
  const std::vector<float> far = {0, -88, -1e30F, -std::numeric_limits<float>::infinity()};
  kernels_->exponentials(far.data(), 4, 0, 1, y.data(), sums);
  EXPECT_EQ(y[1] + y[2] + y[3], 0);
  EXPECT_EQ(sums[0], 1);
}

// What lies where nobody wrote is not a number.
TEST_P(DecoderKernelsOf, AttentionIsASoftmaxOfWhatIsVisibleInWhateverBlocks) {
  constexpr std::int64_t kTokens = 150, kBlocks = 24;
  for (const std::int64_t width : {6, 16, 40, 128}) {
    for (const int shift : {0, 1}) {
      AttentionShape shape{4, 2, width, (width + kLanes - 1) / kLanes * kLanes, shift, 0};
      shape.block_stride = 2 * shape.head_numbers() + 32;
      std::vector<float> pool(static_cast<std::size_t>(kBlocks * shape.block_stride + kRowLanes),
                              std::nanf(""));
      std::vector<std::int32_t> blocks;
      for (std::int32_t b = 0; b < 12; ++b) blocks.push_back((b * 7 + 3) % kBlocks);
      const std::vector<float> keys = numbers(kTokens * 2 * width),
                               values = numbers(kTokens * 2 * width);
      for (std::int64_t t = 0; t < kTokens; ++t) {
        const std::int64_t tile = t / kLanes, lane = t % kLanes;
        for (std::int64_t h = 0; h < 2; ++h) {
          float* const at = pool.data() + blocks[tile >> shift] * shape.block_stride +
                            h * shape.head_numbers() +
                            (tile & ((1 << shift) - 1)) * shape.tile_numbers();
          for (std::int64_t d = 0; d < width; ++d) {
            at[d * kLanes + lane] = keys[(t * 2 + h) * width + d];
            at[shape.key_numbers() + lane * shape.value_stride + d] =
                values[(t * 2 + h) * width + d];
          }
        }
      }
      const std::vector<float> q = numbers(4 * width, 0.3);
      for (const auto& [first, last] : {std::pair<std::int64_t, std::int64_t>{0, 0},
                                        {0, 15},
                                        {0, 16},
                                        {0, 149},
                                        {3, 3},
                                        {9, 130},
                                        {17, 40},
                                        {64, 127}}) {
        std::vector<float> y = numbers(4 * width);
        std::vector<float> scores(static_cast<std::size_t>(last + 1 + kRowLanes));
        kernels_->attend(shape, q.data(), pool.data(), blocks.data(), first, last, scores.data(),
                         y.data());
        for (std::int64_t h = 0; h < 4; ++h) {
          std::vector<double> weights;
          double sum = 0;
          for (std::int64_t t = first; t <= last; ++t) {
            double score = 0;
            for (std::int64_t d = 0; d < width; ++d) {
              score += static_cast<double>(q[h * width + d]) * keys[(t * 2 + h / 2) * width + d];
            }
            weights.push_back(std::exp(score));
            sum += weights.back();
          }
          for (std::int64_t d = 0; d < width; ++d) {
            double mean = 0;
            for (std::int64_t t = first; t <= last; ++t) {
              mean += weights[static_cast<std::size_t>(t - first)] / sum *
                      values[(t * 2 + h / 2) * width + d];
            }
            ASSERT_NEAR(y[h * width + d], mean, 1e-5)
                << "width " << width << ", " << first << " to " << last;
          }
        }
        EXPECT_EQ(y[4 * width], kUntouched);
      }
    }
  }
}

std::string set_name(const testing::TestParamInfo<InstructionSet>& about) {
  if (about.param == InstructionSet::kBase) return "Base";
  return about.param == InstructionSet::kAvx2 ? "Avx2" : "Avx512";
}
INSTANTIATE_TEST_SUITE_P(Sets, DecoderKernelsOf,
                         testing::Values(InstructionSet::kBase, InstructionSet::kAvx2,
                                         InstructionSet::kAvx512),
                         set_name);

}  // namespace
}  // namespace tenfold::kernels
