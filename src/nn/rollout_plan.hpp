// How a RolloutSpec becomes layers, and where each layer's parameters lie: shared by both engines.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/convolution.hpp"
#include "nn/rollout_network.hpp"

namespace tenfold::nn {

/// weight and bias: indices into ParameterLayout::entries().
struct RolloutConvPlan {
  kernels::ConvGeometry geometry;
  std::int64_t filters = 0;
  int weight = -1, bias = -1;
  std::int64_t output() const { return geometry.places() * filters; }
};

struct RolloutLayerPlan {
  std::int64_t input = 0, output = 0;
  kernels::Activation activation = kernels::Activation::kIdentity;
  int weight = -1, bias = -1;
};

struct RolloutPlan {
  RolloutSpec spec;
  std::int64_t observation = 0;  ///< numbers of one, of a picture height width channels
  std::vector<RolloutConvPlan> convs;
  std::vector<RolloutLayerPlan> layers;  ///< hidden ones
  RolloutLayerPlan lstm;                 ///< output: 4 cells; input: without the cells' own
  RolloutLayerPlan head;
  ParameterLayout parameters;
};

/// Throws Code::kUsage naming the field when the spec makes no network.
RolloutPlan plan_rollout(const RolloutSpec& spec);

}  // namespace tenfold::nn
