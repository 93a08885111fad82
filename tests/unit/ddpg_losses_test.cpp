#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "ddpg/losses.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kGroups = 3;
constexpr std::int64_t kRows = 5;

// [G, B, 1] inside a wider block, as the networks' outputs lie; what is outside must stay.
at::Tensor column(const std::function<double(std::int64_t)>& value) {
  const at::Tensor view = at::full({kGroups, kRows + 3, 1}, -77.0F).narrow(1, 0, kRows);
  for (std::int64_t i = 0; i < kGroups * kRows; ++i) {
    view.data_ptr<float>()[i / kRows * view.stride(0) + i % kRows] = static_cast<float>(value(i));
  }
  return view;
}

float at_row(const at::Tensor& column, std::int64_t i) {
  return column.data_ptr<float>()[i / kRows * column.stride(0) + i % kRows];
}

void expect_surroundings_kept(const at::Tensor& column) {
  for (std::int64_t g = 0; g < kGroups; ++g) {
    for (std::int64_t b = kRows; b < kRows + 3; ++b) {
      EXPECT_EQ(column.data_ptr<float>()[g * column.stride(0) + b], -77.0F);
    }
  }
}

at::Tensor random_column(std::uint32_t index) {
  base::Stream stream(9, base::Purpose::kTest, index, 0);
  return column([&](std::int64_t) { return stream.normal(); });
}

// papers/ddpg.md, oracle 9.4; a time limit is stored as not terminal.
TEST(CriticTarget, BootstrapsUnlessTheTaskEnded) {
  const at::Tensor reward = column([](std::int64_t) { return 1.0; });
  const at::Tensor discount = column([](std::int64_t i) { return i % 2 == 1 ? 0.0 : 0.9; });
  const at::Tensor next = column([](std::int64_t) { return 5.0; });
  const at::Tensor y = column([](std::int64_t) { return 0.0; });
  critic_target(reward, discount, next, 1.0, y);
  for (std::int64_t i = 0; i < kGroups * kRows; ++i) {
    EXPECT_FLOAT_EQ(at_row(y, i), i % 2 == 1 ? 1.0F : 5.5F) << "row " << i;
  }
  expect_surroundings_kept(y);
}

TEST(CriticTarget, ScalesTheRewardOnlyAndMayOverwriteQ) {
  const at::Tensor reward = column([](std::int64_t i) { return static_cast<double>(i) - 3.0; });
  const at::Tensor discount = column([](std::int64_t) { return 0.5; });
  const at::Tensor q = column([](std::int64_t i) { return 2.0 * static_cast<double>(i); });
  critic_target(reward, discount, q, 0.125, q);
  for (std::int64_t i = 0; i < kGroups * kRows; ++i) {
    const auto n = static_cast<float>(i);
    EXPECT_EQ(at_row(q, i), 0.125F * (n - 3.0F) + n) << "row " << i;
  }
  expect_surroundings_kept(q);
}

// The mean over a batch of which other ranks hold a part: 40 rows, of which 15 are here.
TEST(CriticError, IsTheDerivativeOfTheMeanSquare) {
  constexpr double kBatch = 40;
  const at::Tensor q = random_column(1);
  const at::Tensor y = random_column(2);
  const at::Tensor gradient = column([](std::int64_t) { return 0.0; });
  const at::Tensor sums = at::zeros({kGroups, 3}, at::kDouble);
  critic_error(q, y, kBatch, gradient, sums);
  for (std::int64_t i = 0; i < kGroups * kRows; ++i) {
    const auto loss = [&](double value) {
      return (value - at_row(y, i)) * (value - at_row(y, i)) / kBatch;
    };
    const double h = 1e-4;
    const double slope = (loss(at_row(q, i) + h) - loss(at_row(q, i) - h)) / (2 * h);
    EXPECT_NEAR(at_row(gradient, i), slope, 1e-7) << "row " << i;
  }
  expect_surroundings_kept(gradient);
}

TEST(CriticError, SumsSquaresValuesAndTargetsPerGroup) {
  const at::Tensor q = random_column(3);
  const at::Tensor y = random_column(4);
  const at::Tensor sums = at::full({kGroups, 3}, -1.0, at::kDouble);
  critic_error(q, y, 15, column([](std::int64_t) { return 0.0; }), sums);
  for (std::int64_t g = 0; g < kGroups; ++g) {
    double squares = 0, values = 0, targets = 0;
    for (std::int64_t i = g * kRows; i < (g + 1) * kRows; ++i) {
      const double error = double{at_row(q, i)} - at_row(y, i);
      squares += error * error;
      values += at_row(q, i);
      targets += at_row(y, i);
    }
    EXPECT_NEAR(sums.data_ptr<double>()[3 * g], squares, 1e-6);
    EXPECT_DOUBLE_EQ(sums.data_ptr<double>()[3 * g + 1], values);
    EXPECT_DOUBLE_EQ(sums.data_ptr<double>()[3 * g + 2], targets);
  }
}

TEST(ActorError, IsTheDerivativeOfMinusTheMean) {
  const at::Tensor gradient = column([](std::int64_t) { return 3.0; });
  actor_error(64, gradient);
  for (std::int64_t i = 0; i < kGroups * kRows; ++i) EXPECT_EQ(at_row(gradient, i), -1.0F / 64);
  expect_surroundings_kept(gradient);
}

TEST(ActionReach, CountsSaturatedActionsAndAveragesWhatTheTanhSaw) {
  // Rows of 2 inside wider ones: what lies between is no action.
  const at::Tensor before = at::full({2, 3, 7}, 100.0F).narrow(2, 0, 2);
  const at::Tensor action = at::full({2, 3, 5}, 1.0F).narrow(2, 0, 2);
  const std::vector<float> z = {0, -1, 2, 3, -4, 0.5, 2.6, 2.7, -2.7, 20, -1.5, 1};
  for (std::int64_t i = 0; i < 12; ++i) {
    const std::int64_t row = i / 2, group = row / 3;
    const auto at_of = [&](const at::Tensor& tensor) {
      return tensor.data_ptr<float>() + group * tensor.stride(0) + row % 3 * tensor.stride(1) +
             i % 2;
    };
    *at_of(before) = z[static_cast<std::size_t>(i)];
    *at_of(action) = std::tanh(z[static_cast<std::size_t>(i)]);
  }
  const ActionReach reach = action_reach(action, before);
  // atanh(0.99) = 2.6467: 3, -4, 2.7, -2.7 and 20 lie beyond.
  EXPECT_DOUBLE_EQ(reach.saturation, 5.0 / 12);
  EXPECT_NEAR(reach.pretanh, 41.0 / 12, 1e-7);
  EXPECT_THROW(action_reach(action, before.narrow(2, 0, 1)), base::Error);
  EXPECT_THROW(action_reach(action, at::zeros({2, 3, 2}, at::kDouble)), base::Error);
}

TEST(Losses, WrongTypesAndShapesAreBugs) {
  EXPECT_THROW(actor_error(4, at::zeros({2, 2, 1}, at::kDouble)), base::Error);
  EXPECT_THROW(actor_error(4, at::zeros({2, 2, 2})), base::Error);
  EXPECT_THROW(actor_error(4, at::zeros({4, 1})), base::Error);
  EXPECT_THROW(actor_error(4, at::zeros({2, 4, 2}).narrow(2, 0, 1)), base::Error);
}

}  // namespace
}  // namespace tenfold::ddpg
