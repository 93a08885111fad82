// The arithmetic between the networks of DDPG: targets, errors, gradients of both losses.
#pragma once

#include <ATen/core/Tensor.h>

namespace tenfold::ddpg {

// All tensors are float32 [G, B, 1] with strides (pitch, 1, 1): G groups (virtual shards) of B
// rows.

/// y = reward_scale * r + discount * q_next (Lillicrap et al. 2016, algorithm 1); discount is
/// gamma^n, 0 after the end of the task (a time limit is none). y may be q_next.
void critic_target(const at::Tensor& reward, const at::Tensor& discount, const at::Tensor& q_next,
                   double reward_scale, const at::Tensor& y);

/// gradient = 2 w (q - y) / batch: the gradient of mean(w (q - y)^2) over batch transitions of all
/// ranks. sums, float64 [G, 3]: per group the sums of w (q - y)^2, q and y. With prioritised replay
/// weight holds w and error gets q - y; both are undefined without.
void critic_error(const at::Tensor& q, const at::Tensor& y, double batch,
                  const at::Tensor& gradient, const at::Tensor& sums, const at::Tensor& weight = {},
                  const at::Tensor& error = {});

/// gradient = -1 / batch everywhere: the gradient of -mean(Q(s, mu(s))).
void actor_error(double batch, const at::Tensor& gradient);

struct ActionReach {
  double saturation = 0;  ///< fraction beyond 0.99 in magnitude
  double pretanh = 0;     ///< mean magnitude before the tanh
};
/// Of actions, tanh of preactivation; both float32 [G, B, A] with rows of stride 1.
ActionReach action_reach(const at::Tensor& action, const at::Tensor& preactivation);

}  // namespace tenfold::ddpg
