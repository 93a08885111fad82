#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "kernels/dense_layer.hpp"

namespace tenfold::kernels {
namespace {

struct Shape {
  std::int64_t shards, rows, columns, padding;  // padding: columns of other data in every row
};
const std::vector<Shape> kShapes = {{1, 1, 1, 0}, {8, 8, 64, 0}, {3, 5, 17, 6},
                                    {4, 1, 3, 1}, {2, 7, 1, 2},  {2, 0, 4, 0}};

// [S, B, C] inside wider rows and a larger pitch, as in a workspace.
at::Tensor random_rows(const Shape& shape, std::uint32_t index) {
  base::Stream stream(9, base::Purpose::kTest, index, 0);
  const std::int64_t stride = shape.columns + shape.padding;
  const std::int64_t pitch = shape.rows * stride + 5;
  const at::Tensor memory = at::empty({shape.shards * pitch}, at::kFloat);
  for (std::int64_t i = 0; i < memory.numel(); ++i) {
    memory.data_ptr<float>()[i] = static_cast<float>(stream.normal());
  }
  return memory.as_strided({shape.shards, shape.rows, shape.columns}, {pitch, stride, 1});
}

at::Tensor random_vector(std::int64_t size, std::uint32_t index) {
  return random_rows({1, 1, size, 0}, index).view({size});
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0) return 0;
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

TEST(DenseLayer, BiasActivationMatchesATen) {
  for (const Shape& shape : kShapes) {
    for (const auto activation : {Activation::kIdentity, Activation::kRelu, Activation::kTanh}) {
      const at::Tensor x = random_rows(shape, 1);
      const at::Tensor bias = random_vector(shape.columns, 2);
      const at::Tensor sum = x + bias;
      const at::Tensor expected = activation == Activation::kRelu   ? sum.relu()
                                  : activation == Activation::kTanh ? sum.tanh()
                                                                    : sum;
      const at::Tensor kept = at::zeros(x.sizes());
      const at::Tensor copy = x.clone();
      bias_activation(x, bias, activation);
      EXPECT_LE(largest_difference(x, expected), 2e-7);
      bias_activation_keep(copy, bias, activation, kept);
      EXPECT_TRUE(at::equal(copy, x));
      EXPECT_TRUE(at::equal(kept, sum));
    }
  }
}

TEST(DenseLayer, UndefinedBiasAddsNothing) {
  const at::Tensor x = random_rows(kShapes[2], 3);
  const at::Tensor expected = x.relu();
  bias_activation(x, {}, Activation::kRelu);
  EXPECT_TRUE(at::equal(x, expected));
}

TEST(DenseLayer, NothingOutsideTheColumnsIsTouched) {
  const at::Tensor x = random_rows(kShapes[2], 4);
  const at::Tensor memory = x.as_strided({x.stride(0) * 3}, {1});
  const at::Tensor before = memory.clone();
  const at::Tensor ours = x.clone();
  bias_activation(x, at::full({17}, 3.0), Activation::kTanh);
  x.copy_(ours);
  EXPECT_TRUE(at::equal(memory, before));
}

TEST(DenseLayer, NanPassesThroughEveryActivation) {
  for (const auto activation : {Activation::kIdentity, Activation::kRelu, Activation::kTanh}) {
    const at::Tensor x = at::full({1, 1, 3}, NAN);
    bias_activation(x, {}, activation);
    EXPECT_TRUE(x.isnan().all().item<bool>());
  }
}

TEST(DenseLayer, ActivationBackwardUsesTheOutput) {
  for (const Shape& shape : kShapes) {
    const at::Tensor y = random_rows(shape, 5).tanh();
    const at::Tensor dy = random_rows(shape, 6);
    at::Tensor dx = dy.clone();
    activation_backward(dx, y, Activation::kRelu);
    EXPECT_TRUE(at::equal(dx, dy * (y > 0).to(at::kFloat)));
    dx = dy.clone();
    activation_backward(dx, y, Activation::kTanh);
    EXPECT_LE(largest_difference(dx, dy * (1 - y * y)), 1e-6);
    dx = dy.clone();
    activation_backward(dx, y, Activation::kIdentity);
    EXPECT_TRUE(at::equal(dx, dy));
  }
}

TEST(DenseLayer, AddScaledAddsRowByRow) {
  for (const Shape& shape : kShapes) {
    const at::Tensor x = random_rows(shape, 8);
    const at::Tensor term = random_rows({shape.shards, shape.rows, shape.columns, 2}, 9);
    const at::Tensor expected = x.to(at::kDouble) + 0.375 * term.to(at::kDouble);
    add_scaled(x, term, 0.375);
    EXPECT_LE(largest_difference(x, expected), 1e-6);
  }
}

TEST(DenseLayer, BiasGradientSumsRowsPerShard) {
  for (const Shape& shape : kShapes) {
    const at::Tensor dy = random_rows(shape, 7);
    const at::Tensor wide = at::full({shape.shards, shape.columns + 9}, -5.0);
    const at::Tensor gradient = wide.narrow(1, 4, shape.columns);
    bias_gradient(dy, gradient);
    EXPECT_LE(largest_difference(gradient, dy.to(at::kDouble).sum(1)), 3e-6);
    EXPECT_EQ((wide.narrow(1, 0, 4) + 5).abs().max().item<float>(), 0.0F);
    EXPECT_EQ((wide.narrow(1, 4 + shape.columns, 5) + 5).abs().max().item<float>(), 0.0F);
  }
}

TEST(DenseLayer, ZeroRangesClearsJustThem) {
  const at::Tensor rows = at::full({3, 20}, 1.0);
  zero_ranges(rows, at::tensor(std::vector<std::int64_t>{2, 5, 19, 20}).view({2, 2}));
  const at::Tensor expected = at::full({3, 20}, 1.0);
  expected.narrow(1, 2, 3).zero_();
  expected.narrow(1, 19, 1).zero_();
  EXPECT_TRUE(at::equal(rows, expected));
}

TEST(DenseLayer, WrongTypesAndShapesAreBugs) {
  const at::Tensor x = at::zeros({2, 3, 4});
  EXPECT_THROW(bias_activation(x.to(at::kDouble), {}, Activation::kRelu), base::Error);
  EXPECT_THROW(bias_activation(x, at::zeros({5}), Activation::kRelu), base::Error);
  EXPECT_THROW(bias_activation(x.transpose(1, 2), {}, Activation::kRelu), base::Error);
  EXPECT_THROW(activation_backward(x, at::zeros({2, 3, 5}), Activation::kRelu), base::Error);
  EXPECT_THROW(add_scaled(x, at::zeros({2, 4, 4}), 1), base::Error);
  EXPECT_THROW(bias_gradient(x, at::zeros({3, 4})), base::Error);
  EXPECT_THROW(batch_norm_sums(x, at::zeros({2, 4}, at::kDouble)), base::Error);
}

struct Norm {
  explicit Norm(std::int64_t columns)
      : mean(at::zeros({columns}, at::kDouble)), inv_std(at::zeros({columns}, at::kDouble)) {}
  at::Tensor mean, inv_std;
};

// papers/ddpg.md, oracle 9.7: a batch {0, 2} becomes -1 and +1.
TEST(BatchNorm, TwoValuesBecomePlusAndMinusOne) {
  const at::Tensor x = at::tensor({0.0F, 2.0F}).view({2, 1, 1});
  const at::Tensor sums = at::zeros({2, 2}, at::kDouble);
  batch_norm_sums(x, sums);
  const at::Tensor total = sums.sum(0);
  EXPECT_EQ(total[0].item<double>(), 2.0);
  EXPECT_EQ(total[1].item<double>(), 4.0);
  Norm norm(1);
  const at::Tensor running_mean = at::zeros({1});
  const at::Tensor running_var = at::full({1}, 1.0);
  for (int k = 1; k <= 5; ++k) {
    batch_norm_statistics(total, 2, 1e-12, 0.1, norm.mean, norm.inv_std, running_mean, running_var);
    // Unbiased variance of {0, 2} is 2.
    EXPECT_NEAR(running_mean.item<double>(), 1 - std::pow(0.9, k), 1e-6);
    EXPECT_NEAR(running_var.item<double>(), 2 - std::pow(0.9, k), 1e-6);
  }
  const at::Tensor xhat = at::zeros({2, 1, 1});
  const at::Tensor y = at::zeros({2, 1, 1});
  batch_norm_apply(x, norm.mean, norm.inv_std, at::full({1}, 3.0), at::full({1}, 10.0), xhat, y);
  EXPECT_TRUE(at::equal(xhat.view({2}), at::tensor({-1.0F, 1.0F})));
  EXPECT_TRUE(at::equal(y.view({2}), at::tensor({7.0F, 13.0F})));
}

TEST(BatchNorm, ConstantColumnsAndSingleRowsStayFinite) {
  const at::Tensor x = at::full({1, 1, 2}, 1e4);
  const at::Tensor sums = at::zeros({1, 4}, at::kDouble);
  batch_norm_sums(x, sums);
  Norm norm(2);
  const at::Tensor running_mean = at::zeros({2});
  const at::Tensor running_var = at::full({2}, 1.0);
  batch_norm_statistics(sums.view({4}), 1, 1e-5, 0.1, norm.mean, norm.inv_std, running_mean,
                        running_var);
  EXPECT_NEAR(norm.inv_std.max().item<double>(), 1 / std::sqrt(1e-5), 1e-6);
  EXPECT_NEAR(running_var.max().item<double>(), 0.9, 1e-6);
}

TEST(BatchNorm, RunningStatisticsInvertTheVariance) {
  Norm norm(2);
  batch_norm_running(at::tensor({1.0F, -2.0F}), at::tensor({4.0F, 0.25F}), 0.0, norm.mean,
                     norm.inv_std);
  EXPECT_TRUE(at::equal(norm.mean, at::tensor({1.0, -2.0}, at::kDouble)));
  EXPECT_TRUE(at::equal(norm.inv_std, at::tensor({0.5, 2.0}, at::kDouble)));
}

// Statistics over shards are those of the concatenated batch.
TEST(BatchNorm, ShardsTogetherAreOneBatch) {
  const Shape shape{4, 6, 5, 3};
  const at::Tensor x = random_rows(shape, 8) * 3 + 2;
  const at::Tensor sums = at::zeros({4, 10}, at::kDouble);
  batch_norm_sums(x, sums);
  const at::Tensor flat = x.to(at::kDouble).reshape({24, 5});
  Norm norm(5);
  batch_norm_statistics(sums.sum(0), 24, 1e-5, 0.1, norm.mean, norm.inv_std, {}, {});
  EXPECT_LE(largest_difference(norm.mean, flat.mean(0)), 1e-12);
  const at::Tensor variance = (flat - flat.mean(0)).square().mean(0);
  EXPECT_LE(largest_difference(norm.inv_std, (variance + 1e-5).rsqrt()), 1e-12);
}

TEST(BatchNorm, BackwardFollowsTheFormulaInBothModes) {
  const Shape shape{3, 4, 6, 2};
  const at::Tensor dy = random_rows(shape, 9);
  const at::Tensor xhat = random_rows(shape, 10);
  const at::Tensor gamma = random_vector(6, 11);
  const at::Tensor inv_std = random_vector(6, 12).abs().to(at::kDouble);
  const at::Tensor sums = at::zeros({3, 12}, at::kDouble);
  batch_norm_backward_sums(dy, xhat, sums);
  const at::Tensor d = dy.to(at::kDouble);
  const at::Tensor h = xhat.to(at::kDouble);
  EXPECT_LE(largest_difference(sums.narrow(1, 0, 6), d.sum(1)), 1e-12);
  EXPECT_LE(largest_difference(sums.narrow(1, 6, 6), (d * h).sum(1)), 1e-12);
  const at::Tensor total = sums.sum(0);
  const at::Tensor scale = gamma.to(at::kDouble) * inv_std;
  const at::Tensor dx = at::zeros({3, 4, 6});
  batch_norm_backward(dy, xhat, gamma, inv_std, total, 12, dx);
  const at::Tensor expected =
      scale * (d - total.narrow(0, 0, 6) / 12 - h * total.narrow(0, 6, 6) / 12);
  EXPECT_LE(largest_difference(dx, expected), 1e-6);
  batch_norm_backward(dy, xhat, gamma, inv_std, total, 0, dx);
  EXPECT_LE(largest_difference(dx, scale * d), 1e-6);
  batch_norm_backward(dy, xhat, gamma, inv_std, total, 12, dy);  // in place
  EXPECT_LE(largest_difference(dy, expected), 1e-6);
}

}  // namespace
}  // namespace tenfold::kernels
