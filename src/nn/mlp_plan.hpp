// How an MlpSpec becomes layers, and where each layer's parameters lie: shared by Mlp, which lays
// them out, and MlpPass, which runs them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/mlp.hpp"

namespace tenfold::nn {

/// Indices into ParameterLayout::entries(); -1 where there is none.
struct NormPlan {
  std::int64_t width = 0;
  int gamma = -1, beta = -1;                ///< in parameters()
  int running_mean = -1, running_var = -1;  ///< in buffers()
};

struct LayerPlan {
  std::int64_t first = 0;   ///< columns that come from the layer below
  std::int64_t second = 0;  ///< columns of the second input, behind them
  std::int64_t output = 0;
  kernels::Activation activation = kernels::Activation::kIdentity;
  int weight = -1, bias = -1;  ///< no bias where a batch norm's beta follows
  int norm = -1;               ///< index into MlpPlan::norms
  std::int64_t input() const { return first + second; }
};

struct MlpPlan {
  std::vector<LayerPlan> layers;
  std::vector<NormPlan> norms;
  int input_norm = -1;  ///< index into norms
  ParameterLayout parameters, buffers;
};

/// Throws Code::kUsage naming the field when the spec makes no network.
MlpPlan plan_mlp(const MlpSpec& spec);

}  // namespace tenfold::nn
