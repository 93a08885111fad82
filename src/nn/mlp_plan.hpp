// How a NetworkSpec becomes layers, and where each layer's parameters lie: shared by the networks
// of both engines, which lay them out, and the passes, which run them.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/convolution.hpp"
#include "nn/mlp.hpp"

namespace tenfold::nn {

/// Indices into ParameterLayout::entries(); -1 where there is none.
struct NormPlan {
  std::int64_t width = 0;
  std::int64_t places = 1;                  ///< of a row: pixels, where it is per channel
  int gamma = -1, beta = -1;                ///< in parameters()
  int running_mean = -1, running_var = -1;  ///< in buffers()
};

struct LayerNormPlan {
  std::int64_t width = 0;
  int gamma = -1, beta = -1;  ///< in parameters()
};

struct LayerPlan {
  std::int64_t first = 0;   ///< columns that come from the layer below
  std::int64_t second = 0;  ///< columns of the second input, behind them
  std::int64_t output = 0;
  kernels::Activation activation = kernels::Activation::kIdentity;
  int weight = -1, bias = -1;  ///< no bias where a batch norm's beta follows
  int norm = -1;               ///< index into MlpPlan::norms
  int layer_norm = -1;         ///< index into MlpPlan::layer_norms
  std::int64_t input() const { return first + second; }
};

struct ConvPlan {
  kernels::ConvGeometry geometry;
  std::int64_t filters = 0;
  int weight = -1, bias = -1, norm = -1;  ///< as in LayerPlan
};

struct MlpPlan {
  explicit MlpPlan(NetworkSpec the_spec) : spec(std::move(the_spec)) {}
  NetworkSpec spec;  ///< with mlp.input filled in
  std::vector<ConvPlan> convs;
  std::vector<LayerPlan> layers;
  std::vector<NormPlan> norms;
  std::vector<LayerNormPlan> layer_norms;
  int input_norm = -1;  ///< index into norms
  ParameterLayout parameters, buffers;
};

/// Throws Code::kUsage naming the field when the spec makes no network.
MlpPlan plan_network(const NetworkSpec& spec);

}  // namespace tenfold::nn
