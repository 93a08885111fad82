#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "kernels/flat_optimizer.hpp"

namespace tenfold::kernels {
namespace {

at::Tensor uniform(std::int64_t size, std::uint32_t index, double low = -1, double high = 1) {
  base::Stream stream(7, base::Purpose::kTest, index, 0);
  const at::Tensor values = at::empty({size}, at::kFloat);
  for (std::int64_t i = 0; i < size; ++i) {
    values.data_ptr<float>()[i] = static_cast<float>(stream.uniform(low, high));
  }
  return values;
}

// Sizes around the kernels' block of 2048 elements.
constexpr std::int64_t kSizes[] = {0, 1, 15, 2047, 2048, 2049, 5000};

TEST(Adam, FirstStepIsLearningRateTimesSign) {
  for (const std::int64_t size : kSizes) {
    const at::Tensor p = uniform(size, 0);
    const at::Tensor before = p.clone();
    const at::Tensor g = uniform(size, 1);
    const at::Tensor m = at::zeros({size});
    const at::Tensor v = at::zeros({size});
    adam_step(p, g, m, v, {}, 1, {.lr = 1e-3});
    for (std::int64_t i = 0; i < size; ++i) {
      const double gradient = g.data_ptr<float>()[i];
      const double expected = -1e-3 * gradient / (std::abs(gradient) + 1e-8);
      EXPECT_NEAR(double{p.data_ptr<float>()[i]} - before.data_ptr<float>()[i], expected, 2e-7);
    }
  }
}

TEST(Adam, ZeroGradientNeverMovesAParameter) {
  const at::Tensor p = uniform(100, 2);
  const at::Tensor before = p.clone();
  const at::Tensor m = at::zeros({100});
  const at::Tensor v = at::zeros({100});
  for (int step = 1; step <= 5; ++step) adam_step(p, at::zeros({100}), m, v, {}, step, {});
  EXPECT_TRUE(at::equal(p, before));
}

// Loshchilov & Hutter 2019, algorithm 2, in double.
TEST(Adam, DecoupledDecayShrinksTheParameter) {
  constexpr std::int64_t kSize = 33;
  const at::Tensor p = uniform(kSize, 5);
  const at::Tensor m = at::zeros({kSize});
  const at::Tensor v = at::zeros({kSize});
  const at::Tensor decay = uniform(kSize, 6, 0, 1);
  std::vector<double> expected(p.data_ptr<float>(), p.data_ptr<float>() + kSize);
  std::vector<double> first(kSize), second(kSize);
  for (int step = 1; step <= 20; ++step) {
    const at::Tensor g = uniform(kSize, static_cast<std::uint32_t>(100 + step));
    adam_step(p, g, m, v, decay, step,
              {.lr = 1e-2, .beta1 = 0.8, .beta2 = 0.95, .decoupled_decay = true});
    for (std::size_t i = 0; i < kSize; ++i) {
      const double d = g.data_ptr<float>()[i];
      first[i] = 0.8 * first[i] + 0.2 * d;
      second[i] = 0.95 * second[i] + 0.05 * d * d;
      const double unbiased = first[i] / (1 - std::pow(0.8, step));
      const double root = std::sqrt(second[i] / (1 - std::pow(0.95, step)));
      expected[i] -= 1e-2 * double{decay.data_ptr<float>()[i]} * expected[i];
      expected[i] -= 1e-2 * unbiased / (root + 1e-8);
    }
  }
  for (std::size_t i = 0; i < kSize; ++i) EXPECT_NEAR(p.data_ptr<float>()[i], expected[i], 2e-6);
}

// The textbook recursion in double, with coupled decay on every second element.
TEST(Adam, FollowsAlgorithmOneWithDecay) {
  constexpr std::int64_t kSize = 33;
  const at::Tensor p = uniform(kSize, 3);
  const at::Tensor m = at::zeros({kSize});
  const at::Tensor v = at::zeros({kSize});
  const at::Tensor l2 = at::zeros({kSize});
  std::vector<double> x(kSize), first(kSize), second(kSize);
  for (std::int64_t i = 0; i < kSize; ++i) {
    x[static_cast<std::size_t>(i)] = p.data_ptr<float>()[i];
    if (i % 2 == 0) l2.data_ptr<float>()[i] = 0.5F;
  }
  for (int step = 1; step <= 50; ++step) {
    const at::Tensor g = uniform(kSize, 100 + static_cast<std::uint32_t>(step));
    adam_step(p, g, m, v, l2, step, {.lr = 1e-2, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6});
    for (std::size_t i = 0; i < static_cast<std::size_t>(kSize); ++i) {
      const double d = g.data_ptr<float>()[i] + (i % 2 == 0 ? 0.5 * x[i] : 0.0);
      first[i] = 0.8 * first[i] + 0.2 * d;
      second[i] = 0.95 * second[i] + 0.05 * d * d;
      const double m_hat = first[i] / (1 - std::pow(0.8, step));
      const double v_hat = second[i] / (1 - std::pow(0.95, step));
      x[i] -= 1e-2 * m_hat / (std::sqrt(v_hat) + 1e-6);
    }
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(kSize); ++i) {
    EXPECT_NEAR(p.data_ptr<float>()[i], x[i], 3e-6) << "element " << i;
  }
}

TEST(Adam, WrongSizesAndStepsAreBugs) {
  const at::Tensor p = at::zeros({4});
  EXPECT_THROW(adam_step(p, at::zeros({5}), p, p, {}, 1, {}), base::Error);
  EXPECT_THROW(adam_step(p, p, p, p, {}, 0, {}), base::Error);
  EXPECT_THROW(adam_step(p, at::zeros({4}, at::kDouble), p, p, {}, 1, {}), base::Error);
}

// papers/ddpg.md, oracle 9.2.
TEST(Polyak, ThousandStepsLeaveTheClosedFormsShare) {
  const at::Tensor source = at::full({3000}, 2.0);
  const at::Tensor target = at::full({3000}, 5.0);
  for (int n = 0; n < 1000; ++n) polyak(target, source, 1e-3);
  const double expected = 2.0 + 3.0 * 0.3676954248;
  EXPECT_NEAR(target.min().item<double>(), expected, 2e-4);
  EXPECT_NEAR(target.max().item<double>(), expected, 2e-4);
}

TEST(Polyak, EqualStaysEqualAndTauOneCopies) {
  const at::Tensor source = uniform(5000, 4);
  const at::Tensor target = source.clone();
  polyak(target, source, 0.005);
  EXPECT_TRUE(at::equal(target, source));
  const at::Tensor other = uniform(5000, 5, -100, 100);
  polyak(other, source, 1.0);
  EXPECT_TRUE(at::equal(other, source));
}

TEST(SumOfSquares, IsThatOfEveryElementAndKeepsWhatIsNotFinite) {
  for (const std::int64_t size : kSizes) {
    const at::Tensor values = uniform(size, 7, -3e19, 3e19);  // squares beyond float's range
    double expected = 0;
    for (std::int64_t i = 0; i < size; ++i) expected += std::pow(values.data_ptr<float>()[i], 2.0);
    EXPECT_NEAR(sum_of_squares(values), expected, 1e-12 * expected);
    if (size == 0) continue;
    values.data_ptr<float>()[size - 1] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(sum_of_squares(values)));
  }
}

TEST(FirstNonfinite, FindsTheFirstOfAnyKind) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const std::int64_t size : kSizes) {
    const at::Tensor values = uniform(size, 6, -3e38, 3e38);
    EXPECT_EQ(first_nonfinite(values), -1);
    EXPECT_EQ(first_nonfinite(values.to(at::kDouble)), -1);
    for (const std::int64_t at : {size - 1, size / 2, std::int64_t{0}}) {
      if (size == 0) continue;
      for (const float bad : {nan, infinity, -infinity}) {
        values.data_ptr<float>()[at] = bad;
        EXPECT_EQ(first_nonfinite(values), at);
        EXPECT_EQ(first_nonfinite(values.to(at::kDouble)), at);
      }
    }
  }
}

TEST(FirstNonfinite, LargestAndDenormalNumbersAreFinite) {
  const at::Tensor values = at::tensor(
      {std::numeric_limits<double>::max(), -std::numeric_limits<double>::denorm_min(), -0.0},
      at::kDouble);
  EXPECT_EQ(first_nonfinite(values), -1);
}

}  // namespace
}  // namespace tenfold::kernels
