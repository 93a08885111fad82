#include <gtest/gtest.h>

#include "base/error.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {
namespace {

struct Row {
  Sigmoid sigmoid;
  double at_half, at_one, at_three;
};

// Bounds [0, 0], margin 2, value 0.1 (papers/ddpg.md, oracle 8).
constexpr Row kTable[] = {{Sigmoid::kGaussian, 0.865964, 0.562341, 0.005623},
                          {Sigmoid::kLinear, 0.775, 0.55, 0},
                          {Sigmoid::kQuadratic, 0.94375, 0.775, 0},
                          {Sigmoid::kLongTail, 0.64, 0.307692, 0.047059},
                          {Sigmoid::kHyperbolic, 0.773221, 0.426401, 0.022442},
                          {Sigmoid::kTanhSquared, 0.818795, 0.480506, 0.016949},
                          {Sigmoid::kCosine, 0.905621, 0.658114, 0},
                          {Sigmoid::kReciprocal, 0.307692, 0.181818, 0.068966}};

TEST(Tolerance, ValuesOfTheTable) {
  for (const Row& row : kTable) {
    for (const double sign : {1.0, -1.0}) {
      EXPECT_NEAR(tolerance(sign * 0.5, 0, 0, 2, row.sigmoid), row.at_half, 5e-7);
      EXPECT_NEAR(tolerance(sign * 1, 0, 0, 2, row.sigmoid), row.at_one, 5e-7);
      EXPECT_NEAR(tolerance(sign * 3, 0, 0, 2, row.sigmoid), row.at_three, 5e-7);
      EXPECT_NEAR(tolerance(sign * 2, 0, 0, 2, row.sigmoid), 0.1, 1e-12);
    }
    EXPECT_EQ(tolerance(0, 0, 0, 2, row.sigmoid), 1);
  }
}

TEST(Tolerance, DistanceIsToTheNearestBound) {
  for (const Row& row : kTable) {
    const double at_half = tolerance(0.5, 0, 0, 2, row.sigmoid);
    EXPECT_DOUBLE_EQ(tolerance(4.5, -3, 4, 2, row.sigmoid), at_half);
    EXPECT_DOUBLE_EQ(tolerance(-3.5, -3, 4, 2, row.sigmoid), at_half);
    EXPECT_EQ(tolerance(-3, -3, 4, 2, row.sigmoid), 1);
    EXPECT_EQ(tolerance(4, -3, 4, 2, row.sigmoid), 1);
  }
}

TEST(Tolerance, WithoutMarginItIsAStep) {
  EXPECT_EQ(tolerance(1.0001, 0, 1), 0);
  EXPECT_EQ(tolerance(1, 0, 1), 1);
}

TEST(Tolerance, ThreeKindsMayReachZeroAtTheMargin) {
  for (const Sigmoid sigmoid : {Sigmoid::kLinear, Sigmoid::kQuadratic, Sigmoid::kCosine}) {
    EXPECT_NEAR(tolerance(2, 0, 0, 2, sigmoid, 0), 0, 1e-15);
    EXPECT_GT(tolerance(1.9, 0, 0, 2, sigmoid, 0), 0);
  }
  for (const Sigmoid sigmoid : {Sigmoid::kGaussian, Sigmoid::kLongTail, Sigmoid::kHyperbolic,
                                Sigmoid::kReciprocal, Sigmoid::kTanhSquared}) {
    EXPECT_THROW(tolerance(2, 0, 0, 2, sigmoid, 0), base::Error);
  }
}

TEST(Tolerance, RefusesBadBoundsMarginAndValue) {
  EXPECT_THROW(tolerance(0, 1, 0), base::Error);
  EXPECT_THROW(tolerance(0, 0, 1, -1), base::Error);
  EXPECT_THROW(tolerance(0, 0, 1, 1, Sigmoid::kGaussian, 1), base::Error);
  EXPECT_THROW(tolerance(0, 0, 1, 1, Sigmoid::kLinear, -0.1), base::Error);
}

}  // namespace
}  // namespace tenfold::env
