#include "ddpg/losses.hpp"

#include <Kokkos_Core.hpp>
#include <cmath>

#include "base/error.hpp"

namespace tenfold::ddpg {

namespace {

// One column per row: rows of a group are adjacent, groups a pitch apart.
struct Column {
  float* data;
  std::int64_t pitch;
  KOKKOS_INLINE_FUNCTION float& operator()(std::int64_t group, std::int64_t row) const {
    return data[group * pitch + row];
  }
};

Column column(const at::Tensor& tensor) {
  base::require(tensor.dim() == 3 && tensor.size(2) == 1 && tensor.scalar_type() == at::kFloat &&
                    (tensor.stride(1) == 1 || tensor.size(1) == 1) && tensor.is_cpu(),
                "ddpg losses: want float32 [G, B, 1] on the host");
  return {tensor.data_ptr<float>(), tensor.stride(0)};
}

using Range = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;

}  // namespace

void critic_target(const at::Tensor& reward, const at::Tensor& discount, const at::Tensor& q_next,
                   double reward_scale, const at::Tensor& y) {
  const Column r = column(reward), keep = column(discount), next = column(q_next), out = column(y);
  const std::int64_t rows = y.size(1);
  const auto scale = static_cast<float>(reward_scale);
  Kokkos::parallel_for(
      "ddpg_critic_target", Range(0, y.size(0) * rows), KOKKOS_LAMBDA(std::int64_t i) {
        const std::int64_t g = i / rows, b = i % rows;
        out(g, b) = scale * r(g, b) + keep(g, b) * next(g, b);
      });
}

void critic_error(const at::Tensor& q, const at::Tensor& y, double batch,
                  const at::Tensor& gradient, const at::Tensor& sums, const at::Tensor& weight,
                  const at::Tensor& error_of_row) {
  const Column value = column(q), target = column(y), out = column(gradient);
  const bool weighted = weight.defined();
  const Column weights = weighted ? column(weight) : value;
  const Column errors = weighted ? column(error_of_row) : value;
  double* total = sums.data_ptr<double>();
  const std::int64_t rows = q.size(1);
  const auto factor = static_cast<float>(2.0 / batch);
  Kokkos::parallel_for(
      "ddpg_critic_error", Range(0, q.size(0)), KOKKOS_LAMBDA(std::int64_t g) {
        double squares = 0, values = 0, targets = 0;
        for (std::int64_t b = 0; b < rows; ++b) {
          const float error = value(g, b) - target(g, b);
          const float scaled = weighted ? weights(g, b) * error : error;
          squares += static_cast<double>(scaled) * error;
          if (weighted) errors(g, b) = error;
          values += value(g, b);
          targets += target(g, b);
          out(g, b) = factor * scaled;
        }
        total[3 * g] = squares;
        total[3 * g + 1] = values;
        total[3 * g + 2] = targets;
      });
}

void actor_error(double batch, const at::Tensor& gradient) {
  const Column out = column(gradient);
  const std::int64_t rows = gradient.size(1);
  const auto value = static_cast<float>(-1.0 / batch);
  Kokkos::parallel_for(
      "ddpg_actor_error", Range(0, gradient.size(0) * rows),
      KOKKOS_LAMBDA(std::int64_t i) { out(i / rows, i % rows) = value; });
}

ActionReach action_reach(const at::Tensor& action, const at::Tensor& preactivation) {
  base::require(action.sizes() == preactivation.sizes() && action.dim() == 3 &&
                    action.numel() > 0 && action.is_cpu() && action.scalar_type() == at::kFloat &&
                    preactivation.scalar_type() == at::kFloat,
                "ddpg losses: want float32 [G, B, A] on the host");
  std::int64_t saturated = 0;
  double magnitude = 0;
  for (std::int64_t g = 0; g < action.size(0); ++g) {
    for (std::int64_t b = 0; b < action.size(1); ++b) {
      const float* const a = action.data_ptr<float>() + g * action.stride(0) + b * action.stride(1);
      const float* const z = preactivation.data_ptr<float>() + g * preactivation.stride(0) +
                             b * preactivation.stride(1);
      for (std::int64_t i = 0; i < action.size(2); ++i) {
        saturated += std::abs(a[i]) > 0.99F;
        magnitude += std::abs(static_cast<double>(z[i]));
      }
    }
  }
  const auto count = static_cast<double>(action.numel());
  return {static_cast<double>(saturated) / count, magnitude / count};
}

}  // namespace tenfold::ddpg
