// The memory of an MlpPass, and the views that its matrix products read and write, all made once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/mlp_plan.hpp"

namespace tenfold::nn {

// Suffix _s: one matrix per shard. Every product has the shape of one shard, so that neither its
// shape nor its alignment, hence no bit of its result, depends on how many shards a rank owns.

struct LayerWork {
  at::Tensor x, y, dx, dy;  ///< [S, B, columns]; y and dy lie in the next layer's x and dx
  std::vector<at::Tensor> x_s, y_s, dy_s, dy_t_s, dx_s, dx_first_s, dx_second_s;
};

/// A convolution is a matrix product of patches, a few pictures at a time, so that patches stay in
/// the cache. They are gathered again for the backward pass: that costs less than keeping them.
struct ConvWork {
  struct Tile {
    at::Tensor source, patches, y;  ///< [n, height, width, channels], [n places, patch], [., F]
    at::Tensor source_gradient, patches_gradient, dy, dy_t;
  };
  at::Tensor y, dy;                      ///< [S, B places, F]
  std::vector<std::vector<Tile>> tiles;  ///< by shard
  at::Tensor y_rows, dy_rows;            ///< y and dy as [S, B, places F]
};

struct NormWork {
  at::Tensor xhat;                       ///< float32 [S, B, W]
  at::Tensor sums, total;                ///< float64 [S, 2W], [2W]
  at::Tensor sums_plain, sums_weighted;  ///< the halves of sums
  at::Tensor mean, inv_std;              ///< float64 [W]
};

struct LayerNormWork {
  at::Tensor xhat;                       ///< float32 [S, B, W]
  at::Tensor inv_std;                    ///< float64 [S, B]
  at::Tensor sums;                       ///< float64 [S, 2W]: gradients of beta and gamma
  at::Tensor sums_plain, sums_weighted;  ///< its halves
};

struct Workspace {
  /// Throws Code::kUsage where this build has no kernels for device, Code::kBug for empty shapes.
  Workspace(const MlpPlan& plan, std::int64_t shards, std::int64_t rows, const at::Device& device,
            Gradients wanted);

  std::vector<ConvWork> convs;
  std::vector<LayerWork> layers;
  std::vector<NormWork> norms;
  std::vector<LayerNormWork> layer_norms;
  at::Tensor input, second_input, second_input_gradient, preactivation;
  at::Tensor normalized_input, normalized_input_gradient;  ///< only with an input norm
  std::vector<at::Tensor> bytes_s, scaled_s;  ///< pictures before an input norm, by shard
  at::Tensor scaled;                          ///< [S, B height width, channels]
  at::Tensor first, first_gradient;           ///< what the first layer sees of the input

 private:
  void make_input(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                  const at::Device& device, bool learns);
  void make_convs(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                  const at::Device& device, bool learns);
  void make_layers(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                   const at::Device& device);
  void make_norms(const MlpPlan& plan, std::int64_t shards, std::int64_t rows,
                  const at::Device& device);
};

/// Views of a flat parameter tensor, remade only when another one is bound.
struct ParameterViews {
  struct Layer {
    at::Tensor weight, weight_t, weight_first, weight_second, bias;
  };
  struct Norm {
    at::Tensor gamma, beta;
  };
  struct Conv {
    at::Tensor weight, weight_t, bias;  ///< [F, patch], [patch, F], [F]
  };
  void bind(const MlpPlan& plan, const at::Tensor& flat);
  std::vector<Layer> layers;
  std::vector<Conv> convs;
  std::vector<Norm> norms, layer_norms;

 private:
  at::Tensor bound_;
};

struct BufferViews {
  struct Norm {
    at::Tensor mean, var;
  };
  void bind(const MlpPlan& plan, const at::Tensor& flat);
  std::vector<Norm> norms;

 private:
  at::Tensor bound_;
};

/// Views of [S, flat_size] gradients.
struct GradientViews {
  struct Layer {
    std::vector<at::Tensor> weight_s;  ///< [out, in]
    at::Tensor bias;                   ///< [S, out]
  };
  struct Norm {
    at::Tensor gamma, beta;  ///< [S, W]
  };
  void bind(const MlpPlan& plan, const at::Tensor& gradients, std::int64_t shards);
  std::vector<Layer> layers, convs;  ///< weights of convolutions as [F, patch]
  std::vector<Norm> norms, layer_norms;
  at::Tensor gaps;  ///< int64 [R, 2]: the padding between entries; undefined when there is none

 private:
  at::Tensor bound_;
};

}  // namespace tenfold::nn
