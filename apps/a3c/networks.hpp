// What an agent computes: Q, or a policy and V, with all parameters in one flat buffer.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "a3c/config.hpp"
#include "env/batch_env.hpp"
#include "nn/rollout_network.hpp"

namespace tenfold::a3c {

/// What the outputs of an agent mean, for n choices or k components of an action.
enum class Head {
  kQ,         ///< n values
  kSoftmax,   ///< n logits and V, on one trunk (Mnih et al. 2016, section 4)
  kGaussian,  ///< k means and s; V from a network of its own (supplement, section 9)
};

class Networks {
 public:
  /// --engine auto: fused on the host, torch elsewhere. Throws Code::kUsage when the method, the
  /// task and the network do not go together.
  Networks(const Config& config, const env::Spec& spec,
           const at::Device& device = at::Device(at::kCPU));

  Head head() const { return head_; }
  /// n, or k.
  std::int64_t actions() const { return actions_; }
  /// Numbers of the LSTMs' state, per environment.
  std::int64_t state_size() const { return 2 * lstm_ * static_cast<std::int64_t>(nets_.size()); }
  const nn::ParameterLayout& layout() const { return layout_; }
  /// float32 [P] on the host.
  at::Tensor initial_parameters(std::uint32_t seed) const;

 private:
  friend class Passes;
  Head head_;
  std::int64_t actions_, lstm_;
  std::vector<std::unique_ptr<nn::RolloutNetwork>> nets_;  ///< one, or policy and value
  nn::ParameterLayout layout_;
};

/// The workspaces of all networks of an agent for up to T steps of E environments.
class Passes {
 public:
  Passes(const Networks& networks, std::int64_t steps, std::int64_t rows, const at::Device& device,
         bool gradients);

  std::int64_t rows() const { return rows_; }
  /// Observations of all E environments of step t; or, with E = 1, of one row of a batch.
  void observe(std::int64_t t, const env::BatchEnv& envs);
  void observe_row(std::int64_t t, const env::BatchEnv& envs, std::size_t row);
  /// The LSTMs' states before step t, [E, state_size()], in and out; nothing without LSTMs.
  void set_states(std::int64_t t, std::span<const float> states);
  void get_states(std::int64_t t, std::span<float> states) const;
  void set_row_state(std::int64_t t, std::size_t row, std::span<const float> state);
  void get_row_state(std::int64_t t, std::size_t row, std::span<float> state) const;
  /// The episode of this row begins at step t: no state, no gradient from before.
  void begin_row(std::int64_t t, std::size_t row);
  /// No episode begins within the rollout, again.
  void clear_begins();

  /// The numbers in the tensors that forward is given have changed since: a copy of them on
  /// another device has to be made again.
  void parameters_changed() { stale_ = true; }
  /// parameters: [P] on the host, aligned to 64 bytes; the same tensor again costs nothing.
  void forward(std::int64_t t, const at::Tensor& parameters);
  /// Q, or the policy's outputs, of a row.
  std::span<const float> outputs(std::int64_t t, std::size_t row) const;
  float value(std::int64_t t, std::size_t row) const;  ///< V; not of kQ
  /// To fill for every row before backward.
  std::span<float> output_gradient(std::int64_t t, std::size_t row);
  float& value_gradient(std::int64_t t, std::size_t row);
  /// gradient [P] <- that of steps 0 to count - 1.
  void backward(std::int64_t count, const at::Tensor& parameters, const at::Tensor& gradient);

 private:
  /// A flat tensor of the host, where the networks compute, and views of each network's part.
  struct Bound {
    at::Tensor host, flat;
    std::vector<at::Tensor> views;
  };
  void bind(const at::Tensor& flat, Bound& bound) const;

  Head head_;
  std::int64_t rows_, actions_, lstm_;
  std::size_t policy_width_;  ///< of the first network's outputs
  std::vector<std::unique_ptr<nn::RolloutPass>> passes_;
  std::vector<std::int64_t> offsets_, sizes_;
  at::Device device_;
  bool stale_ = true;
  Bound parameters_, gradient_;
};

}  // namespace tenfold::a3c
