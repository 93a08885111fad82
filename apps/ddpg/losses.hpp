// The arithmetic between the networks of DDPG: targets, errors, gradients of both losses.
#pragma once

#include <ATen/core/Tensor.h>

namespace tenfold::ddpg {

// All tensors are float32 [G, B, 1] with strides (pitch, 1, 1): G groups (virtual shards) of B
// rows.

/// y = reward_scale * r + gamma * (1 - terminal) * q_next (Lillicrap et al. 2016, algorithm 1). A
/// time limit is not terminal. y may be q_next.
void critic_target(const at::Tensor& reward, const at::Tensor& terminal, const at::Tensor& q_next,
                   double gamma, double reward_scale, const at::Tensor& y);

/// gradient = 2 (q - y) / batch: the gradient of mean((q - y)^2) over batch transitions of all
/// ranks. sums, float64 [G, 3]: per group the sums of (q - y)^2, q and y.
void critic_error(const at::Tensor& q, const at::Tensor& y, double batch,
                  const at::Tensor& gradient, const at::Tensor& sums);

/// gradient = -1 / batch everywhere: the gradient of -mean(Q(s, mu(s))).
void actor_error(double batch, const at::Tensor& gradient);

}  // namespace tenfold::ddpg
