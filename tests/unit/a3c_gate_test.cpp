// What every gradient goes through before it is applied, and what is counted of it.
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "a3c/learning/gradient_gate.hpp"
#include "base/error.hpp"

namespace tenfold::a3c {
namespace {

using testing::HasSubstr;

class Gate : public testing::Test {
 protected:
  Gate() {
    layout_.add("q/layer0.weight", {2, 3}, 0, 0, true);
    layout_.add("q/layer0.bias", {3}, 0, 0, false);
    gradient_ = at::zeros({layout_.flat_size()}, at::kFloat);
    values_ = gradient_.data_ptr<float>();
    values_[0] = 3;
    values_[17] = -4;  // norm 5
  }
  nn::ParameterLayout layout_;
  at::Tensor gradient_;
  float* values_ = nullptr;
  Tally tally_;
};

TEST_F(Gate, ALongGradientIsCutToItsBound) {
  GradientGate gate(layout_, 2.5, false);
  EXPECT_TRUE(gate.pass(gradient_, tally_));
  EXPECT_FLOAT_EQ(values_[0], 1.5);
  EXPECT_FLOAT_EQ(values_[17], -2);
  EXPECT_EQ(tally_.gradient_norm, 5) << "before it is cut";
  EXPECT_EQ(tally_.clipped, 1);
}

TEST_F(Gate, AShortOneAndOneWithoutABoundStay) {
  for (const double bound : {5.0, 0.0}) {
    GradientGate gate(layout_, bound, false);
    EXPECT_TRUE(gate.pass(gradient_, tally_));
    EXPECT_EQ(values_[0], 3);
    EXPECT_EQ(values_[17], -4);
  }
  EXPECT_EQ(tally_.clipped, 0);
}

TEST_F(Gate, OneThatIsNotFiniteIsNamed) {
  GradientGate gate(layout_, 40, false);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    values_[17] = bad;
    EXPECT_FALSE(gate.pass(gradient_, tally_));
    try {
      gate.refuse(gradient_, "actor 3, decision 1200", tally_);
      FAIL() << "was let through";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kNumeric);
      EXPECT_THAT(error.message(),
                  HasSubstr("actor 3, decision 1200: the gradient of q/layer0.bias"));
    }
  }
  EXPECT_EQ(tally_.gradient_norm, 0);
  EXPECT_EQ(tally_.skipped, 0);
}

TEST_F(Gate, AHundredInARowAreTooMany) {
  GradientGate gate(layout_, 40, true);
  at::Tensor bad = gradient_.clone();
  bad.data_ptr<float>()[2] = NAN;
  const auto leave_out = [&](int times) {
    for (int i = 0; i < times; ++i) {
      EXPECT_FALSE(gate.pass(bad, tally_));
      gate.refuse(bad, "actor 0, decision 1", tally_);
    }
  };
  testing::internal::CaptureStderr();
  leave_out(99);
  EXPECT_TRUE(gate.pass(gradient_, tally_));
  leave_out(99);
  EXPECT_EQ(tally_.skipped, 198);
  EXPECT_THROW(leave_out(1), base::Error);
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      HasSubstr("actor 0, decision 1: the gradient of q/layer0.weight is not finite, left out"));
}

TEST(Staleness, BinsDoubleTheirWidth) {
  const std::vector<std::pair<std::int64_t, std::size_t>> bins{
      {0, 0},  {1, 1},  {2, 2},  {3, 3},  {4, 3},  {5, 4},  {8, 4},      {9, 5},
      {16, 5}, {17, 6}, {32, 6}, {33, 7}, {64, 7}, {65, 8}, {1000000, 8}};
  StalenessHistogram histogram;
  double sum = 0;
  for (const auto& [staleness, bin] : bins) {
    EXPECT_EQ(StalenessHistogram::bin(staleness), bin) << staleness;
    histogram.add(staleness);
    sum += static_cast<double>(staleness);
  }
  EXPECT_THAT(histogram.counts(), testing::ElementsAre(1, 1, 1, 2, 2, 2, 2, 2, 2));
  EXPECT_EQ(histogram.sum(), sum);
  std::vector<std::string> labels;
  for (std::size_t bin = 0; bin < StalenessHistogram::kBins; ++bin) {
    labels.push_back(StalenessHistogram::label(bin));
  }
  EXPECT_THAT(labels,
              testing::ElementsAre("0", "1", "2", "3-4", "5-8", "9-16", "17-32", "33-64", "65+"));
}

}  // namespace
}  // namespace tenfold::a3c
