// Every instruction set that this machine runs, against sums in double.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/philox.hpp"
#include "kernels/small_products.hpp"

namespace tenfold::kernels {
namespace {

// Written behind every row of a result, and still there afterwards.
constexpr float kUntouched = 12345.0F;

class SmallProductsOf : public testing::TestWithParam<InstructionSet> {
 protected:
  void SetUp() override {
    if (small_products(GetParam()) == nullptr) GTEST_SKIP() << "not on this processor";
    products_ = small_products(GetParam());
  }
  /// zeros: their share.
  std::vector<float> numbers(std::int64_t count, double zeros = 0) {
    std::vector<float> values(static_cast<std::size_t>(count + kLanes));
    for (float& value : values) {
      value = static_cast<float>(stream_.normal());
      if (stream_.uniform(0, 1) < zeros) value = 0;
    }
    return values;
  }
  const SmallProducts* products_ = nullptr;
  base::Stream stream_{5, base::Purpose::kTest, 0, 0};
};

// In double, and what float32 may be off by in any order: one rounding of each product and of each
// addition to it.
struct Sum {
  double value = 0, magnitude = 0;
  std::int64_t terms = 0;
  void add(double a, double b = 1) {
    value += a * b;
    magnitude += std::abs(a * b);
    ++terms;
  }
  void expect(double actual) const {
    EXPECT_NEAR(actual, value, static_cast<double>(terms + 1) * 0x1p-24 * magnitude);
  }
};

struct Sizes {
  std::int64_t n, in, out;
  double zeros;
};
std::vector<Sizes> all_sizes() {
  std::vector<Sizes> sizes;
  for (const std::int64_t n : {1, 3, 9, 20}) {
    for (const std::int64_t in : {1, 5, 16, 33}) {
      for (const std::int64_t out : {1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 31, 33, 64, 130, 160}) {
        for (const double zeros : {0.0, 0.5, 0.95}) sizes.push_back({n, in, out, zeros});
      }
    }
  }
  return sizes;
}

TEST_P(SmallProductsOf, RowsTimesWeights) {
  for (const auto& [n, in, out, zeros] : all_sizes()) {
    SCOPED_TRACE(testing::Message() << n << " x " << in << " x " << out);
    const std::int64_t xs = in + 2, ys = out + 3;
    const auto x = numbers(n * xs, zeros), w = numbers(in * out), bias = numbers(out);
    std::vector<float> y(static_cast<std::size_t>(n * ys + kLanes), kUntouched);
    std::vector<std::int32_t> list(100);
    products_->forward({x.data(), xs}, n, in, w.data(), out, {bias.data(), 0}, {y.data(), ys},
                       list.data());
    const std::vector<float> once = y;
    products_->forward({x.data(), xs}, n, in, w.data(), out, {y.data(), ys}, {y.data(), ys},
                       list.data());
    for (std::int64_t r = 0; r < n; ++r) {
      for (std::int64_t o = 0; o < ys; ++o) {
        const std::size_t at = static_cast<std::size_t>(r * ys + o);
        if (o >= out) {
          ASSERT_EQ(once[at], kUntouched);
          continue;
        }
        Sum sum;
        sum.add(bias[o]);
        for (std::int64_t i = 0; i < in; ++i) sum.add(x[r * xs + i], w[i * out + o]);
        sum.expect(once[at]);
        for (std::int64_t i = 0; i < in; ++i) sum.add(x[r * xs + i], w[i * out + o]);
        sum.expect(y[at]);
      }
      // Alone, with other rows, with or without a search for zeros: the same bits.
      std::vector<float> alone(static_cast<std::size_t>(out + kLanes));
      products_->forward({x.data() + r * xs, xs}, 1, in, w.data(), out, {bias.data(), 0},
                         {alone.data(), out}, list.data());
      for (std::int64_t o = 0; o < out; ++o) ASSERT_EQ(alone[o], once[r * ys + o]);
    }
  }
}

TEST_P(SmallProductsOf, GradientsOfWeightsInputsAndBiases) {
  for (const auto& [n, in, out, zeros] : all_sizes()) {
    SCOPED_TRACE(testing::Message() << n << " x " << in << " x " << out);
    const std::int64_t xs = in + 2, ys = out + 3;
    const auto x = numbers(n * xs, zeros), w = numbers(in * out), dy = numbers(n * ys);
    std::vector<float> dw(static_cast<std::size_t>(in * out + 1), kUntouched);
    std::vector<float> dx(static_cast<std::size_t>(n * xs), kUntouched);
    std::vector<float> db(static_cast<std::size_t>(out + 1), kUntouched);
    std::vector<std::int32_t> list(100);
    products_->weight_gradient({x.data(), xs}, n, in, {dy.data(), ys}, out, dw.data(), list.data());
    products_->input_gradient({dy.data(), ys}, n, out, w.data(), in, {dx.data(), xs});
    products_->column_sums({dy.data(), ys}, n, out, db.data());
    EXPECT_EQ(dw.back(), kUntouched);
    EXPECT_EQ(db.back(), kUntouched);
    for (std::int64_t o = 0; o < out; ++o) {
      Sum bias;
      for (std::int64_t r = 0; r < n; ++r) bias.add(dy[r * ys + o]);
      bias.expect(db[o]);
      for (std::int64_t i = 0; i < in; ++i) {
        Sum weight;
        for (std::int64_t r = 0; r < n; ++r) weight.add(x[r * xs + i], dy[r * ys + o]);
        weight.expect(dw[i * out + o]);
      }
    }
    for (std::int64_t r = 0; r < n; ++r) {
      for (std::int64_t i = 0; i < xs; ++i) {
        if (i >= in) {
          ASSERT_EQ(dx[r * xs + i], kUntouched);
          continue;
        }
        Sum sum;
        for (std::int64_t o = 0; o < out; ++o) sum.add(dy[r * ys + o], w[i * out + o]);
        sum.expect(dx[r * xs + i]);
      }
    }
  }
}

TEST_P(SmallProductsOf, SparsePicturesHaveTheBitsOfDenseOnes) {
  for (const ConvShape& shape :
       {ConvShape{10, 4, 3, 1, 8, 8, 16}, ConvShape{9, 3, 4, 2, 3, 3, 5},
        ConvShape{7, 1, 2, 3, 2, 2, 40}, ConvShape{6, 2, 1, 1, 6, 6, 33}}) {
    SCOPED_TRACE(testing::Message() << "width " << shape.width << ", kernel " << shape.kernel);
    const std::int64_t numbers_of = shape.width * shape.width * shape.channels;
    const std::int64_t places = shape.out_height * shape.out_width;
    const std::int64_t taps = shape.kernel * shape.kernel * shape.channels;
    std::vector<std::int32_t> offset, list(static_cast<std::size_t>(numbers_of + 1));
    for (std::int64_t y = 0; y < shape.out_height; ++y) {
      for (std::int64_t x = 0; x < shape.out_width; ++x) {
        offset.push_back(
            static_cast<std::int32_t>((y * shape.width + x) * shape.stride * shape.channels));
      }
    }
    const auto picture = numbers(numbers_of, 0.8), w = numbers(taps * shape.filters),
               bias = numbers(shape.filters), dy = numbers(places * shape.filters);
    const std::int64_t count = products_->nonzeros(picture.data(), numbers_of, list.data());
    EXPECT_LT(count, numbers_of / 2);
    auto dense = numbers(places * shape.filters), sparse = dense;
    const Rows dense_rows{dense.data(), shape.filters}, sparse_rows{sparse.data(), shape.filters};
    products_->conv_forward(shape, offset.data(), picture.data(), w.data(), bias.data(),
                            dense_rows);
    products_->conv_forward_sparse(shape, picture.data(), list.data(), count, w.data(), bias.data(),
                                   sparse_rows);
    EXPECT_EQ(dense, sparse);
    auto dw = numbers(taps * shape.filters), dw_sparse = dw;
    const ConstRows slopes{dy.data(), shape.filters};
    products_->conv_weight_gradient(shape, offset.data(), picture.data(), slopes, dw.data());
    products_->conv_weight_gradient_sparse(shape, picture.data(), list.data(), count, slopes,
                                           dw_sparse.data());
    EXPECT_EQ(dw, dw_sparse);
  }
}

TEST_P(SmallProductsOf, ActivationsAreThoseOfTheMathLibrary) {
  std::vector<float> x;
  for (double each = -30; each < 30; each += 0.0137) x.push_back(static_cast<float>(each));
  for (double each = 1e-6; each < 1; each *= 1.3) x.push_back(static_cast<float>(-each));
  std::vector<float> y = x;
  products_->activate(y.data(), static_cast<std::int64_t>(y.size()), Activation::kTanh);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = std::tanh(double{x[i]});
    EXPECT_NEAR(y[i], expected, 4e-7 * std::abs(expected)) << x[i];
  }
  std::vector<float> slope(x.size(), 2.0F);
  products_->activation_backward(slope.data(), y.data(), static_cast<std::int64_t>(y.size()),
                                 Activation::kTanh);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(slope[i], 2 - 2 * y[i] * y[i], 1e-6);

  for (const Activation activation : {Activation::kRelu, Activation::kTanh}) {
    float values[3] = {std::numeric_limits<float>::quiet_NaN(),
                       std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity()};
    products_->activate(values, 3, activation);
    EXPECT_TRUE(std::isnan(values[0]));
    EXPECT_GE(values[1], 0.9999999F);
    EXPECT_EQ(values[2], activation == Activation::kRelu ? 0.0F : -values[1]);
  }
}

TEST_P(SmallProductsOf, GatesOfAnLstmSaturateWithoutNaN) {
  constexpr std::int64_t kCells = 21;
  std::vector<float> z(4 * kCells), before(kCells), c(kCells), tanh_c(kCells), h(kCells);
  for (std::size_t k = 0; k < z.size(); ++k) z[k] = static_cast<float>(3.7 * std::tan(0.7 * k));
  for (std::size_t k = 0; k < before.size(); ++k) before[k] = static_cast<float>(std::cos(k));
  z[0] = 1e30F;
  z[kCells] = -1e30F;
  const std::vector<float> raw = z;
  products_->lstm_forward(kCells, z.data(), before.data(), c.data(), tanh_c.data(), h.data());
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (std::size_t k = 0; k < kCells; ++k) {
    const double cell =
        sigmoid(raw[kCells + k]) * before[k] + sigmoid(raw[k]) * std::tanh(raw[2 * kCells + k]);
    EXPECT_NEAR(c[k], cell, 5e-7);
    EXPECT_NEAR(tanh_c[k], std::tanh(cell), 5e-7);
    EXPECT_NEAR(h[k], sigmoid(raw[3 * kCells + k]) * std::tanh(cell), 5e-7);
    EXPECT_NEAR(z[k], sigmoid(raw[k]), 5e-7);
  }
}

TEST_P(SmallProductsOf, BytesBecomeShares) {
  std::vector<std::uint8_t> bytes;
  for (int b = 0; b < 256; ++b) bytes.push_back(static_cast<std::uint8_t>(b));
  std::vector<float> values(256);
  products_->scale_bytes(bytes.data(), 256, values.data());
  for (int b = 0; b < 256; ++b) EXPECT_EQ(values[b], static_cast<float>(b) / 255.0F);
}

std::string set_name(const testing::TestParamInfo<InstructionSet>& each) {
  constexpr const char* kNames[] = {"Base", "Avx2", "Avx512"};
  return kNames[static_cast<int>(each.param)];
}

INSTANTIATE_TEST_SUITE_P(Sets, SmallProductsOf,
                         testing::Values(InstructionSet::kBase, InstructionSet::kAvx2,
                                         InstructionSet::kAvx512),
                         set_name);

}  // namespace
}  // namespace tenfold::kernels
