#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "kernels/layer_norm.hpp"

namespace tenfold::kernels {
namespace {

// [S, B, C] inside wider rows, as a workspace has them.
at::Tensor random_rows(std::int64_t shards, std::int64_t rows, std::int64_t columns,
                       std::uint32_t index) {
  base::Stream stream(10, base::Purpose::kTest, index, 0);
  const at::Tensor memory = at::empty({shards, rows, columns + 3}, at::kFloat);
  for (std::int64_t i = 0; i < memory.numel(); ++i) {
    memory.data_ptr<float>()[i] = static_cast<float>(3 * stream.normal() + 1);
  }
  return memory.narrow(2, 0, columns);
}

std::vector<double> row_of(const at::Tensor& rows, std::int64_t s, std::int64_t b) {
  const float* const begin = rows.data_ptr<float>() + s * rows.stride(0) + b * rows.stride(1);
  return {begin, begin + rows.size(2)};
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

struct Layer {
  explicit Layer(std::int64_t columns)
      : bias(random_rows(1, 1, columns, 2).reshape({columns})),
        gamma(random_rows(1, 1, columns, 3).reshape({columns})),
        beta(random_rows(1, 1, columns, 4).reshape({columns})) {}
  at::Tensor bias, gamma, beta;
};

double at_of(const at::Tensor& vector, std::size_t c) {
  return vector.data_ptr<float>()[c];
}

constexpr double kEps = 1e-5;

// z = x + bias normalised the obvious way.
std::vector<double> naive_xhat(const std::vector<double>& x, const Layer& layer) {
  std::vector<double> z = x;
  for (std::size_t c = 0; c < z.size(); ++c) z[c] += at_of(layer.bias, c);
  const double mean = mean_of(z);
  double variance = 0;
  for (const double value : z) variance += (value - mean) * (value - mean);
  variance /= static_cast<double>(z.size());
  for (double& value : z) value = (value - mean) / std::sqrt(variance + kEps);
  return z;
}

TEST(LayerNorm, NormalisesEveryRowByItself) {
  for (const std::int64_t columns : {1, 7, 8, 64, 301}) {
    for (const Activation activation :
         {Activation::kIdentity, Activation::kRelu, Activation::kTanh}) {
      const Layer layer(columns);
      const at::Tensor x = random_rows(3, 4, columns, 1);
      const at::Tensor before = x.clone();
      const at::Tensor xhat = at::empty({3, 4, columns}, at::kFloat);
      const at::Tensor inv_std = at::empty({3, 4}, at::kDouble);
      layer_norm_activation(x, layer.bias, layer.gamma, layer.beta, kEps, activation, xhat,
                            inv_std);
      for (std::int64_t i = 0; i < 12; ++i) {
        const std::vector<double> normal = naive_xhat(row_of(before, i / 4, i % 4), layer);
        const std::vector<double> ours = row_of(x, i / 4, i % 4);
        for (std::size_t c = 0; c < normal.size(); ++c) {
          double y = at_of(layer.gamma, c) * normal[c] + at_of(layer.beta, c);
          if (activation == Activation::kRelu) y = std::max(y, 0.0);
          if (activation == Activation::kTanh) y = std::tanh(y);
          EXPECT_NEAR(ours[c], y, 2e-5) << columns << " columns";
        }
      }
    }
  }
}

// d/dz of sum(dy * (gamma * xhat(z) + beta)) by central differences in double.
TEST(LayerNorm, BackwardIsTheSlope) {
  constexpr std::int64_t kColumns = 11;
  const Layer layer(kColumns);
  const at::Tensor x = random_rows(2, 3, kColumns, 1);
  const at::Tensor before = x.clone();
  const at::Tensor xhat = at::empty({2, 3, kColumns}, at::kFloat);
  const at::Tensor inv_std = at::empty({2, 3}, at::kDouble);
  layer_norm_activation(x, layer.bias, layer.gamma, layer.beta, kEps, Activation::kIdentity, xhat,
                        inv_std);
  const at::Tensor dy = random_rows(2, 3, kColumns, 5);
  const at::Tensor given = dy.clone();
  layer_norm_backward(dy, xhat, layer.gamma, inv_std);
  for (std::int64_t i = 0; i < 6; ++i) {
    const std::vector<double> weight = row_of(given, i / 3, i % 3);
    const std::vector<double> ours = row_of(dy, i / 3, i % 3);
    const auto loss = [&](std::size_t c, double step) {
      std::vector<double> moved = row_of(before, i / 3, i % 3);
      moved[c] += step;
      const std::vector<double> normal = naive_xhat(moved, layer);
      double sum = 0;
      for (std::size_t k = 0; k < normal.size(); ++k) {
        sum += weight[k] * at_of(layer.gamma, k) * normal[k];
      }
      return sum;
    };
    for (std::size_t c = 0; c < ours.size(); ++c) {
      EXPECT_NEAR(ours[c], (loss(c, 1e-5) - loss(c, -1e-5)) / 2e-5, 2e-5);
    }
  }
}

TEST(LayerNorm, WrongShapesAreABug) {
  const Layer layer(4);
  const at::Tensor x = random_rows(2, 3, 4, 1);
  const at::Tensor xhat = at::empty({2, 3, 4}, at::kFloat);
  EXPECT_THROW(layer_norm_activation(x, layer.bias, layer.gamma, layer.beta, kEps,
                                     Activation::kIdentity, xhat, at::empty({5}, at::kDouble)),
               base::Error);
  EXPECT_THROW(layer_norm_backward(x, xhat, Layer(3).gamma, at::empty({2, 3}, at::kDouble)),
               base::Error);
}

}  // namespace
}  // namespace tenfold::kernels
