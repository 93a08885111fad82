#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

#include "base/philox.hpp"

namespace tenfold::base {
namespace {

using Block = std::array<std::uint32_t, 4>;

// The known answers that come with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(Philox::block({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(Philox::block({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      Philox::block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Stream, IsTheBlocksOfItsCounterInOrder) {
  Stream stream(7, Purpose::kTest, 5, 0x0000000900000003);
  for (std::uint32_t draw = 0; draw < 3; ++draw) {
    const Block block =
        Philox::block({draw, 3, 9, 5}, {7, static_cast<std::uint32_t>(Purpose::kTest)});
    for (const std::uint32_t word : block) EXPECT_EQ(stream.bits(), word);
  }
}

TEST(Stream, EveryPartOfItsNameChangesIt) {
  const std::set<std::uint32_t> firsts{Stream(1, Purpose::kTest, 1, 1).bits(),
                                       Stream(2, Purpose::kTest, 1, 1).bits(),
                                       Stream(1, Purpose::kEnvReset, 1, 1).bits(),
                                       Stream(1, Purpose::kTest, 2, 1).bits(),
                                       Stream(1, Purpose::kTest, 1, 2).bits(),
                                       Stream(1, Purpose::kTest, 1, 1ULL << 32 | 1).bits()};
  EXPECT_EQ(firsts.size(), 6U);
}

// Bounds are 4.5 standard errors of n draws.
constexpr int kDraws = 20000;

TEST(Stream, UniformHasItsMoments) {
  Stream stream(3, Purpose::kTest, 0, 0);
  double sum = 0, squares = 0, least = 1, most = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = stream.uniform();
    sum += value;
    squares += value * value;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  EXPECT_GE(least, 0.0);
  EXPECT_LT(least, 1e-3);
  EXPECT_LT(most, 1.0);
  EXPECT_GT(most, 1 - 1e-3);
  EXPECT_NEAR(sum / kDraws, 1.0 / 2, 4.5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 4.5 * std::sqrt(4.0 / 45 / kDraws));
}

TEST(Stream, UniformFillsItsRange) {
  Stream stream(3, Purpose::kTest, 0, 1);
  double sum = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = stream.uniform(-3, 5);
    ASSERT_GE(value, -3);
    ASSERT_LT(value, 5);
    sum += value;
  }
  EXPECT_NEAR(sum / kDraws, 1, 4.5 * std::sqrt(64.0 / 12 / kDraws));
}

TEST(Stream, NormalHasItsMomentsAndIndependentNeighbours) {
  Stream stream(4, Purpose::kTest, 0, 0);
  std::array<double, 5> powers{};
  double neighbours = 0, before = stream.normal();
  for (int i = 0; i < kDraws; ++i) {
    const double value = stream.normal();
    double power = 1;
    for (double& each : powers) each += power, power *= value;
    neighbours += value * before;
    before = value;
  }
  const double error = 4.5 / std::sqrt(kDraws);
  EXPECT_NEAR(powers[1] / kDraws, 0, error);
  EXPECT_NEAR(powers[2] / kDraws, 1, error * std::sqrt(2.0));
  EXPECT_NEAR(powers[3] / kDraws, 0, error * std::sqrt(15.0));
  EXPECT_NEAR(powers[4] / kDraws, 3, error * std::sqrt(96.0));
  EXPECT_NEAR(neighbours / kDraws, 0, error);
}

TEST(Stream, BelowIsEvenOverItsBound) {
  constexpr std::uint64_t kBound = 6;
  Stream stream(5, Purpose::kTest, 0, 0);
  std::array<int, kBound> counts{};
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t value = stream.below(kBound);
    ASSERT_LT(value, kBound);
    ++counts[value];
  }
  double chi_square = 0;
  const double expected = static_cast<double>(kDraws) / kBound;
  for (const int count : counts) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_square, 20.5);  // 0.999 quantile with 5 degrees of freedom
  EXPECT_EQ(stream.below(1), 0U);
}

// Of three thirds of the 64-bit range two are below 2^64 * 2/3; without rejection the low one would
// come up twice as often.
TEST(Stream, BelowRejectsInsteadOfFoldingLargeBounds) {
  constexpr std::uint64_t kBound = UINT64_MAX / 3 * 2;
  Stream stream(6, Purpose::kTest, 0, 0);
  int low = 0;
  for (int i = 0; i < kDraws; ++i) low += stream.below(kBound) < kBound / 2 ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(low) / kDraws, 0.5, 4.5 * 0.5 / std::sqrt(kDraws));
}

}  // namespace
}  // namespace tenfold::base
