// Networks for rollouts in double, written the obvious way, to hold both engines against.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "nn/rollout_network.hpp"

namespace tenfold::test {

using Numbers = std::vector<double>;
/// Flat values by the layout's names ("layer0.weight").
using NamedNumbers = std::map<std::string, Numbers>;

inline double naive_activation(double x, kernels::Activation activation) {
  if (activation == kernels::Activation::kRelu) return std::max(x, 0.0);
  return activation == kernels::Activation::kTanh ? std::tanh(x) : x;
}

/// x W + b, W [in, out].
inline Numbers naive_linear(const Numbers& x, const NamedNumbers& p, const std::string& name) {
  const Numbers& weight = p.at(name + ".weight");
  Numbers y = p.at(name + ".bias");
  for (std::size_t o = 0; o < y.size(); ++o) {
    for (std::size_t i = 0; i < x.size(); ++i) y[o] += x[i] * weight[i * y.size() + o];
  }
  return y;
}

struct NaivePicture {
  std::int64_t height, width, channels;
  Numbers values;
  double at(std::int64_t y, std::int64_t x, std::int64_t c) const {
    if (y < 0 || y >= height || x < 0 || x >= width) return 0;
    return values[static_cast<std::size_t>((y * width + x) * channels + c)];
  }
};

inline NaivePicture naive_convolution(const NaivePicture& in, const nn::RolloutConv::Layer& layer,
                                      kernels::Activation activation, const NamedNumbers& p,
                                      const std::string& name) {
  const Numbers& weight = p.at(name + ".weight");
  NaivePicture out{(in.height + 2 * layer.padding - layer.kernel) / layer.stride + 1,
                   (in.width + 2 * layer.padding - layer.kernel) / layer.stride + 1,
                   layer.filters,
                   {}};
  for (std::int64_t y = 0; y < out.height; ++y) {
    for (std::int64_t x = 0; x < out.width; ++x) {
      for (std::int64_t f = 0; f < layer.filters; ++f) {
        double sum = p.at(name + ".bias")[static_cast<std::size_t>(f)];
        for (std::int64_t ky = 0; ky < layer.kernel; ++ky) {
          for (std::int64_t kx = 0; kx < layer.kernel; ++kx) {
            for (std::int64_t c = 0; c < in.channels; ++c) {
              const std::int64_t tap = (ky * layer.kernel + kx) * in.channels + c;
              sum += weight[static_cast<std::size_t>(tap * layer.filters + f)] *
                     in.at(y * layer.stride - layer.padding + ky,
                           x * layer.stride - layer.padding + kx, c);
            }
          }
        }
        out.values.push_back(naive_activation(sum, activation));
      }
    }
  }
  return out;
}

inline double naive_sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

/// One step of one row; state: h then c, moved on in place. Observations of bytes come divided.
inline Numbers naive_step(const nn::RolloutSpec& spec, const NamedNumbers& p, Numbers x,
                          Numbers& state) {
  if (spec.conv) {
    NaivePicture picture{spec.conv->height, spec.conv->width, spec.conv->channels, x};
    for (std::size_t i = 0; i < spec.conv->layers.size(); ++i) {
      picture = naive_convolution(picture, spec.conv->layers[i], spec.conv->activation, p,
                                  "conv" + std::to_string(i));
    }
    x = picture.values;
  }
  for (std::size_t l = 0; l < spec.hidden.size(); ++l) {
    x = naive_linear(x, p, "layer" + std::to_string(l));
    for (double& value : x) value = naive_activation(value, spec.hidden_activation);
  }
  if (const auto cells = static_cast<std::size_t>(spec.lstm); cells > 0) {
    x.insert(x.end(), state.begin(), state.begin() + spec.lstm);
    const Numbers z = naive_linear(x, p, "lstm");
    x.assign(cells, 0.0);
    for (std::size_t k = 0; k < cells; ++k) {
      double& c = state[cells + k];
      c = naive_sigmoid(z[cells + k]) * c + naive_sigmoid(z[k]) * std::tanh(z[2 * cells + k]);
      x[k] = state[k] = naive_sigmoid(z[3 * cells + k]) * std::tanh(c);
    }
  }
  return naive_linear(x, p, "output");
}

}  // namespace tenfold::test
