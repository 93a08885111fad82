// A multilayer perceptron in double, written the obvious way, to hold the engine against.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "nn/mlp.hpp"

namespace tenfold::test {

using Rows = std::vector<std::vector<double>>;
/// Flat values by the layout's names ("layer0.weight").
using NamedValues = std::map<std::string, std::vector<double>>;

/// Batch normalisation with the statistics of rows.
inline Rows normalised(const Rows& rows, const NamedValues& p, const std::string& name,
                       double eps) {
  Rows result = rows;
  for (std::size_t c = 0; c < rows.front().size(); ++c) {
    double mean = 0, variance = 0;
    for (const auto& row : rows) mean += row[c] / static_cast<double>(rows.size());
    for (const auto& row : rows) {
      variance += (row[c] - mean) * (row[c] - mean) / static_cast<double>(rows.size());
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const double xhat = (rows[r][c] - mean) / std::sqrt(variance + eps);
      result[r][c] = p.at(name + ".weight")[c] * xhat + p.at(name + ".bias")[c];
    }
  }
  return result;
}

inline Rows linear(const Rows& rows, const NamedValues& p, const std::string& name) {
  const std::vector<double>& weight = p.at(name + ".weight");
  const std::size_t inputs = rows.front().size();
  const std::size_t outputs = weight.size() / inputs;
  Rows result(rows.size(), std::vector<double>(outputs, 0.0));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t o = 0; o < outputs; ++o) {
      double sum = p.contains(name + ".bias") ? p.at(name + ".bias")[o] : 0.0;
      for (std::size_t i = 0; i < inputs; ++i) sum += weight[o * inputs + i] * rows[r][i];
      result[r][o] = sum;
    }
  }
  return result;
}

/// The network of spec (ReLU inside; tanh or nothing at the end), batch statistics where it
/// normalises.
inline Rows naive_mlp(const nn::MlpSpec& spec, const NamedValues& p, Rows x,
                      const Rows& second = {}) {
  if (spec.batch_norm_input) x = normalised(x, p, "input_norm", spec.batch_norm_eps);
  for (std::size_t l = 0; l <= spec.hidden.size(); ++l) {
    if (!second.empty() && static_cast<std::int64_t>(l) + 1 == spec.second_layer) {
      for (std::size_t r = 0; r < x.size(); ++r) {
        x[r].insert(x[r].end(), second[r].begin(), second[r].end());
      }
    }
    x = linear(x, p, "layer" + std::to_string(l));
    if (static_cast<std::int64_t>(l) < spec.batch_norm_hidden) {
      x = normalised(x, p, "norm" + std::to_string(l), spec.batch_norm_eps);
    }
    const bool last = l == spec.hidden.size();
    const bool tanh = spec.output_activation == kernels::Activation::kTanh;
    for (auto& row : x) {
      for (double& value : row) {
        if (!last) value = std::max(value, 0.0);
        if (last && tanh) value = std::tanh(value);
      }
    }
  }
  return x;
}

}  // namespace tenfold::test
