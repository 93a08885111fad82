// How a TorchSpec becomes layers: shared by TorchNetwork, which lays out their parameters, and
// TorchPass, which runs them.
#pragma once

#include <vector>

#include "nn/mlp_plan.hpp"
#include "nn/torch_network.hpp"

namespace tenfold::nn {

/// Indices as in LayerPlan.
struct ConvPlan {
  std::int64_t channels = 0, filters = 0;
  std::int64_t height = 0, width = 0;  ///< of the output
  int weight = -1, bias = -1, norm = -1;
};

struct TorchPlan {
  TorchSpec spec;  ///< with mlp.input filled in
  std::vector<ConvPlan> convs;
  MlpPlan mlp;  ///< its layouts hold the convolutions' entries too
};

}  // namespace tenfold::nn
