#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "kernels/shard_sum.hpp"

namespace tenfold::kernels {
namespace {

at::Tensor random_rows(std::int64_t shards, std::int64_t columns) {
  base::Stream stream(8, base::Purpose::kTest, static_cast<std::uint32_t>(shards), 0);
  const at::Tensor values = at::empty({shards, columns}, at::kFloat);
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    // Magnitudes over six decades, so that the order of additions matters.
    values.data_ptr<float>()[i] =
        static_cast<float>(stream.normal() * std::pow(10.0, stream.uniform(-3, 3)));
  }
  return values;
}

TEST(OrderedSum, EqualsTheNaiveLoopBitForBit) {
  for (const std::int64_t shards : {1, 2, 3, 4, 5, 8, 16}) {
    for (const std::int64_t columns : {1, 17, 2048, 2049}) {
      const at::Tensor rows = random_rows(shards, columns);
      const at::Tensor total = at::empty({columns}, at::kFloat);
      ordered_sum(rows, total);
      const at::Tensor wide = rows.to(at::kDouble);
      const at::Tensor wide_total = at::empty({columns}, at::kDouble);
      ordered_sum(wide, wide_total);
      for (std::int64_t p = 0; p < columns; ++p) {
        float narrow = rows.data_ptr<float>()[p];
        double sum = wide.data_ptr<double>()[p];
        for (std::int64_t s = 1; s < shards; ++s) {
          narrow = narrow + rows.data_ptr<float>()[s * columns + p];
          sum = sum + wide.data_ptr<double>()[s * columns + p];
        }
        ASSERT_EQ(total.data_ptr<float>()[p], narrow) << shards << " shards, element " << p;
        ASSERT_EQ(wide_total.data_ptr<double>()[p], sum) << shards << " shards, element " << p;
      }
    }
  }
}

TEST(OrderedSum, WrongShapeIsABug) {
  EXPECT_THROW(ordered_sum(at::zeros({2, 3}), at::zeros({4})), base::Error);
}

TEST(MaxAbs, PassesOnSpecialValues) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(max_abs(at::zeros({0})), 0.0);
  EXPECT_EQ(max_abs(at::tensor({-0.0F})), 0.0);
  EXPECT_EQ(max_abs(at::tensor({1.5F, -7.25F, 3.0F})), 7.25);
  EXPECT_EQ(max_abs(at::tensor({1.0F, -infinity})), infinity);
  const at::Tensor values = random_rows(1, 5000);
  EXPECT_EQ(max_abs(values), values.abs().max().item<double>());
  values.data_ptr<float>()[4999] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(max_abs(values)));
}

// Multiples of 2^-20 below 2^10 sum without any rounding.
TEST(FixedSum, IsExactForNumbersOnTheGrid) {
  constexpr std::int64_t kColumns = 2100;
  base::Stream stream(8, base::Purpose::kTest, 77, 0);
  const at::Tensor rows = at::empty({8, kColumns}, at::kFloat);
  for (std::int64_t i = 0; i < rows.numel(); ++i) {
    rows.data_ptr<float>()[i] =
        std::ldexp(static_cast<float>(stream.below(1U << 20)) - 524288.0F, -10);
  }
  const at::Tensor total = at::empty({kColumns}, at::kLong);
  const at::Tensor values = at::empty({kColumns}, at::kFloat);
  const int exponent = fixed_exponent(max_abs(rows), 8);
  EXPECT_GE(exponent, 20);
  to_fixed(rows, total, exponent);
  from_fixed(total, values, exponent, 0.5);
  const at::Tensor expected = (rows.to(at::kDouble).sum(0) * 0.5).to(at::kFloat);
  EXPECT_TRUE(at::equal(values, expected));
}

TEST(FixedSum, DoesNotDependOnTheOrderOfShards) {
  const at::Tensor rows = random_rows(8, 999);
  const int exponent = fixed_exponent(max_abs(rows), 8);
  const at::Tensor forwards = at::empty({999}, at::kLong);
  const at::Tensor backwards = at::empty({999}, at::kLong);
  to_fixed(rows, forwards, exponent);
  to_fixed(rows.flip(0).contiguous(), backwards, exponent);
  EXPECT_TRUE(at::equal(forwards, backwards));
  const at::Tensor values = at::empty({999}, at::kFloat);
  from_fixed(forwards, values, exponent, 1.0);
  const at::Tensor exact = rows.to(at::kDouble).sum(0);
  const double grid = std::ldexp(8.0 * 0.5, -exponent);
  const at::Tensor error = (values.to(at::kDouble) - exact).abs() - exact.abs() * 6e-8;
  EXPECT_LE(error.max().item<double>(), grid);
}

TEST(FixedExponent, IsTheLargestThatCannotOverflow) {
  const auto fits = [](double largest, std::int64_t shards, int exponent) {
    const long double one = std::nearbyint(std::ldexp(static_cast<long double>(largest), exponent));
    return one * static_cast<long double>(shards) <=
           static_cast<long double>(std::numeric_limits<std::int64_t>::max());
  };
  for (const double largest : {1.0, 0.999999, 1.0000001, 3.0e38, 1e-30, 1.4e-45, 0.1, 1024.0}) {
    for (const std::int64_t shards : {1, 2, 3, 7, 8, 64, 1000}) {
      const int exponent = fixed_exponent(largest, shards);
      EXPECT_TRUE(fits(largest, shards, exponent)) << largest << " x " << shards;
      EXPECT_FALSE(fits(largest, shards, exponent + 1)) << largest << " x " << shards;
    }
  }
  EXPECT_EQ(fixed_exponent(1.0, 8), 59);
  EXPECT_EQ(fixed_exponent(0.0, 8), 0);
  EXPECT_THROW(fixed_exponent(std::numeric_limits<double>::infinity(), 8), base::Error);
}

TEST(FixedSum, WorstCaseReachesTheBoundWithoutWrapping) {
  const at::Tensor rows = at::empty({8, 3}, at::kFloat);
  rows.fill_(-1.7F);
  const at::Tensor total = at::empty({3}, at::kLong);
  const at::Tensor values = at::empty({3}, at::kFloat);
  const int exponent = fixed_exponent(max_abs(rows), 8);
  to_fixed(rows, total, exponent);
  from_fixed(total, values, exponent, 1.0);
  EXPECT_LT(total.max().item<std::int64_t>(), 0);
  EXPECT_EQ(values.max().item<float>(), -1.7F * 8);
}

}  // namespace
}  // namespace tenfold::kernels
