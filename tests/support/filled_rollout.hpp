// One rollout of a network of either engine, everything filled with random numbers.
#pragma once

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/philox.hpp"
#include "nn/rollout_network.hpp"
#include "support/naive_rollout.hpp"

namespace tenfold::test {

struct FilledRollout {
  /// share: of an observation's numbers that are not zero.
  FilledRollout(const nn::RolloutSpec& the_spec, nn::RolloutEngine engine, std::int64_t steps,
                std::int64_t rows, double share = 1.0)
      : spec(the_spec),
        net(nn::make_rollout_network(spec, engine)),
        parameters(at::empty({net->parameters().flat_size()}, at::kFloat)),
        gradient(at::full({net->parameters().flat_size()}, NAN, at::kFloat)),
        pass(net->make_pass(steps, rows, at::kCPU)) {
    net->initialize(parameters, 3, 0);
    base::Stream stream(31, base::Purpose::kTest, 0, 0);
    for (float& value : pass->state(0)) value = static_cast<float>(stream.uniform(-1, 1));
    for (std::int64_t t = 0; t < steps; ++t) {
      for (float& value : pass->input(t)) {
        value = stream.uniform(0, 1) < share ? static_cast<float>(stream.normal()) : 0.0F;
      }
      for (std::uint8_t& byte : pass->frames(t)) {
        byte = static_cast<std::uint8_t>(stream.uniform(0, 1) < share ? stream.below(256) : 0);
      }
      for (float& value : pass->output_gradient(t)) value = static_cast<float>(stream.normal());
    }
  }

  /// An episode of row begins at step t > 0.
  void begin(std::int64_t t, std::int64_t row) {
    pass->begins(t)[static_cast<std::size_t>(row)] = 1;
  }
  void forward(std::int64_t count) {
    for (std::int64_t t = 0; t < count; ++t) {
      if (spec.lstm > 0) {
        for (std::int64_t e = 0; e < pass->rows(); ++e) {
          if (pass->begins(t)[static_cast<std::size_t>(e)] == 0) continue;
          std::ranges::fill(row_of(pass->state(t), e), 0.0F);
        }
      }
      pass->forward(t, parameters);
    }
  }
  void run(std::int64_t count) {
    forward(count);
    pass->backward(count, parameters, gradient);
  }

  template <class T>
  std::span<T> row_of(std::span<T> all, std::int64_t row) const {
    const std::size_t width = all.size() / static_cast<std::size_t>(pass->rows());
    return all.subspan(static_cast<std::size_t>(row) * width, width);
  }
  NamedNumbers named(const at::Tensor& flat) const {
    NamedNumbers all;
    for (const nn::ParameterEntry& e : net->parameters().entries()) {
      const float* const from = flat.data_ptr<float>() + e.offset;
      all[e.name] = Numbers(from, from + e.size);
    }
    return all;
  }
  Numbers observation(std::int64_t t, std::int64_t row) const {
    Numbers x;
    for (const float value : row_of(pass->input(t), row)) x.push_back(value);
    for (const std::uint8_t byte : row_of(pass->frames(t), row)) x.push_back(byte / 255.0);
    return x;
  }
  /// By the naive network with these parameters: outputs [count][E][output], in double.
  std::vector<std::vector<Numbers>> naive_outputs(const NamedNumbers& p, std::int64_t count) const {
    std::vector<std::vector<Numbers>> outputs(static_cast<std::size_t>(count));
    for (std::int64_t e = 0; e < pass->rows(); ++e) {
      const auto start = row_of(pass->state(0), e);
      Numbers state(start.begin(), start.end());
      for (std::int64_t t = 0; t < count; ++t) {
        if (pass->begins(t)[static_cast<std::size_t>(e)] != 0) std::ranges::fill(state, 0.0);
        outputs[static_cast<std::size_t>(t)].push_back(
            naive_step(spec, p, observation(t, e), state));
      }
    }
    return outputs;
  }

  nn::RolloutSpec spec;
  std::unique_ptr<nn::RolloutNetwork> net;
  at::Tensor parameters, gradient;
  std::unique_ptr<nn::RolloutPass> pass;
};

/// The largest difference, as a part of the largest number of expected.
template <class A, class B>
double apart(const A& actual, const B& expected) {
  double largest = 0, difference = 0;
  EXPECT_EQ(std::size(actual), std::size(expected));
  auto other = std::begin(expected);
  for (const double value : actual) {
    const double there = *other++;
    difference = std::isnan(value) ? INFINITY : std::max(difference, std::abs(value - there));
    largest = std::max(largest, std::abs(there));
  }
  return largest > 0 ? difference / largest : difference;
}

}  // namespace tenfold::test
