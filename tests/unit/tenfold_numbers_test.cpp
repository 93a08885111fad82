#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tenfold/number_summary.hpp"

namespace tenfold::tool {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(UlpDistance, CountsRepresentableNumbersBetween) {
  const float one = 1.0F;
  EXPECT_EQ(ulp_distance(one, one), 0U);
  EXPECT_EQ(ulp_distance(one, std::nextafter(one, 2.0F)), 1U);
  EXPECT_EQ(ulp_distance(one, std::nextafter(one, 0.0F)), 1U);
  // 1 to 2 is one binade: 2^23 steps in float, 2^52 in double.
  EXPECT_EQ(ulp_distance(1.0F, 2.0F), 1U << 23);
  EXPECT_EQ(ulp_distance(2.0, 1.0), std::uint64_t{1} << 52);
}

TEST(UlpDistance, GoesThroughZeroAndNoFurtherThanNaN) {
  EXPECT_EQ(ulp_distance(0.0F, -0.0F), 0U);
  const float least = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(ulp_distance(least, -least), 2U);
  EXPECT_EQ(ulp_distance(std::numeric_limits<double>::denorm_min(), 0.0), 1U);
  EXPECT_EQ(ulp_distance(std::nan(""), std::nan("")), 0U);
  EXPECT_EQ(ulp_distance(std::nan(""), 1.0), UINT64_MAX);
  // All finite doubles are fewer than 2^64: no overflow from end to end.
  const double most = std::numeric_limits<double>::max();
  EXPECT_EQ(ulp_distance(most, -most), 2 * (0x7FEFFFFFFFFFFFFFULL));
}

TEST(Difference, IsTheLargestOverPairs) {
  const std::vector<float> a = {1.0F, 2.0F, -3.0F, NAN}, b = {1.0F, 2.5F, -3.25F, NAN};
  Difference difference;
  difference.add(std::span<const float>(a), std::span<const float>(b));
  EXPECT_EQ(difference.elements, 4U);
  EXPECT_EQ(difference.differing, 2U);
  EXPECT_EQ(difference.max_abs, 0.5);
  EXPECT_EQ(difference.max_relative, 0.2);  // 0.5 of 2.5
  EXPECT_EQ(difference.max_ulp, 1U << 21);  // a quarter of the binade from 2 to 4
}

TEST(Difference, OneThatIsNotFiniteIsInfinitelyFar) {
  Difference difference;
  difference.add_pair(kInf, kInf);
  EXPECT_EQ(difference.differing, 0U);
  difference.add_pair(kInf, 1.0);
  EXPECT_EQ(difference.max_abs, kInf);
  Difference of_nan;
  of_nan.add_pair(std::nan(""), 1.0);
  EXPECT_EQ(of_nan.max_relative, kInf);
}

TEST(Difference, WholeNumbersHaveNoUlp) {
  const std::vector<std::uint8_t> a = {1, 200}, b = {3, 200};
  Difference difference;
  difference.add(std::span<const std::uint8_t>(a), std::span<const std::uint8_t>(b));
  EXPECT_EQ(difference.max_abs, 2.0);
  EXPECT_EQ(difference.max_ulp, 0U);
}

TEST(NumberSummary, LeavesOutWhatIsNotFinite) {
  NumberSummary summary;
  EXPECT_TRUE(std::isnan(summary.least()) && std::isnan(summary.mean()));
  for (const double value : {3.0, std::nan(""), -1.0, kInf, 4.0}) summary.add(value);
  EXPECT_EQ(summary.count(), 5U);
  EXPECT_EQ(summary.not_finite(), 2U);
  EXPECT_EQ(summary.least(), -1.0);
  EXPECT_EQ(summary.greatest(), 4.0);
  EXPECT_DOUBLE_EQ(summary.mean(), 2.0);
}

TEST(NumberSummary, MeanOfHugeValuesIsFinite) {
  NumberSummary summary;
  const double huge = std::numeric_limits<double>::max();
  for (int i = 0; i < 3; ++i) summary.add(huge);
  EXPECT_NEAR(summary.mean() / huge, 1.0, 1e-15);
}

}  // namespace
}  // namespace tenfold::tool
