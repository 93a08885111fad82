// A gradient that is not finite: every rank throws the same error, which names the parameter and
// the rank that it came from.
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.hpp"
#include "train/gradient_reducer.hpp"

namespace tenfold::train {
namespace {

using comm::AgreedError;
using comm::Communicator;
using testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

nn::ParameterLayout layout() {
  nn::ParameterLayout result;
  result.add("layer0.weight", {16}, 0, 0, true);
  result.add("layer0.bias", {16}, 0, 0, false);
  result.add("layer1.weight", {16}, 0, 0, true);
  return result;
}
constexpr std::int64_t kInBias = 19;

class NonfiniteGradient : public testing::TestWithParam<ReduceMode> {
 protected:
  NonfiniteGradient()
      : world_(Communicator::world()),
        reducer_(world_, make_shard_plan(12, world_.size(), world_.rank()), GetParam()),
        layout_(layout()),
        gradients_(at::zeros({reducer_.groups(), layout_.flat_size()})),
        total_(at::empty({layout_.flat_size()}, at::kFloat)) {
    gradients_.fill_(0.5);
  }

  int last() const { return world_.size() - 1; }
  float& at_element(std::int64_t group, std::int64_t element) {
    return gradients_.data_ptr<float>()[group * layout_.flat_size() + element];
  }
  AgreedError error(const nn::ParameterLayout* names) {
    try {
      reducer_.sum(gradients_, total_, names, "critic");
    } catch (const AgreedError& caught) {
      EXPECT_EQ(caught.code(), base::Code::kNumeric);
      EXPECT_FALSE(caught.hint().empty());
      EXPECT_EQ(world_.broadcast_text(caught.what()), caught.what());
      return caught;
    }
    ADD_FAILURE() << "the sum was accepted";
    return {base::Error(base::Code::kOk, ""), -1, ""};
  }

  Communicator world_;
  GradientReducer reducer_;
  nn::ParameterLayout layout_;
  at::Tensor gradients_, total_;
};

TEST_P(NonfiniteGradient, OnTheLastRankOnlyIsNamedByAll) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    float& value = at_element(reducer_.groups() - 1, kInBias);
    if (world_.rank() == last()) value = bad;
    const AgreedError caught = error(&layout_);
    EXPECT_THAT(caught.message(), HasSubstr("gradient of critic layer0.bias is not finite"));
    EXPECT_THAT(caught.message(), HasSubstr(fmt::format("rank {}", last())));
    EXPECT_EQ(caught.rank(), last());
    EXPECT_EQ(caught.host(), comm::host_name());
    value = 0.5;
  }
}

TEST_P(NonfiniteGradient, WithoutALayoutTheElementIsNamed) {
  if (world_.rank() == last()) at_element(0, 35) = kNan;
  EXPECT_THAT(error(nullptr).message(), HasSubstr("critic element 35"));
}

TEST_P(NonfiniteGradient, TheLowestRankSpeaksForItself) {
  at_element(0, world_.is_root() ? 40 : 3) = world_.is_root() ? kInfinity : kNan;
  const AgreedError caught = error(&layout_);
  EXPECT_THAT(caught.message(), HasSubstr("layer1.weight"));
  EXPECT_EQ(caught.rank(), 0);
}

// Every rank's part is finite; their sum is not.
TEST_P(NonfiniteGradient, OverflowOfTheSumNamesTheParameter) {
  if (world_.size() * reducer_.groups() == 1) GTEST_SKIP() << "one part cannot overflow";
  for (std::int64_t group = 0; group < reducer_.groups(); ++group) {
    at_element(group, kInBias) = 3e38F;
  }
  const AgreedError caught = error(&layout_);
  EXPECT_THAT(caught.message(), HasSubstr("critic layer0.bias is not finite"));
  EXPECT_THAT(caught.message(), HasSubstr("overflow"));
  EXPECT_THAT(caught.message(), testing::Not(HasSubstr("rank")));
}

TEST_P(NonfiniteGradient, TheReducerGoesOnAfterAnError) {
  if (world_.rank() == last()) at_element(0, kInBias) = kNan;
  error(&layout_);
  gradients_.fill_(0.5);
  reducer_.sum(gradients_, total_, &layout_, "critic");
  const auto parts = static_cast<float>(world_.size() * reducer_.groups());
  EXPECT_EQ(total_.data_ptr<float>()[kInBias], 0.5F * parts);
}

INSTANTIATE_TEST_SUITE_P(Reduce, NonfiniteGradient,
                         testing::Values(ReduceMode::kFast, ReduceMode::kOrdered,
                                         ReduceMode::kFixed));

}  // namespace
}  // namespace tenfold::train
