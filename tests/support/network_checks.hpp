// One network of either engine with random numbers in it, and its gradients by finite differences.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/philox.hpp"
#include "nn/network.hpp"

namespace tenfold::test {

/// Normal numbers, or in a uint8 tensor uniform ones; different ones for every index.
inline void fill_random(const at::Tensor& values, std::uint32_t index) {
  base::Stream stream(31, base::Purpose::kTest, index, 0);
  const bool bytes = values.scalar_type() == at::kByte;
  const at::Tensor host = at::empty(values.sizes(), at::kFloat);
  for (std::int64_t i = 0; i < host.numel(); ++i) {
    host.data_ptr<float>()[i] =
        static_cast<float>(bytes ? static_cast<double>(stream.below(256)) : stream.normal());
  }
  values.copy_(host);
}

/// A network with its parameters, and one pass of groups of rows, all filled.
struct FilledNetwork {
  FilledNetwork(const nn::Network& network, std::int64_t groups, std::int64_t rows,
                nn::Gradients wanted = nn::Gradients::kAll)
      : net(network),
        parameters(at::empty({net.parameters().flat_size()}, at::kFloat)),
        buffers(at::empty({net.buffers().flat_size()}, at::kFloat)),
        gradients(at::empty({groups, net.parameters().flat_size()}, at::kFloat)),
        pass(net.make_pass(groups, rows, at::kCPU, wanted)) {
    net.initialize(parameters, buffers, 3, 0);
    fill_random(pass->input(), 1);
    if (pass->second_input().defined()) fill_random(pass->second_input(), 2);
  }
  at::Tensor part(const std::string& name) const {
    for (const nn::ParameterEntry& e : net.parameters().entries()) {
      if (e.name == name) return parameters.narrow(0, e.offset, e.size);
    }
    throw std::runtime_error("no parameter " + name);
  }
  const nn::Network& net;
  at::Tensor parameters, buffers, gradients;
  std::unique_ptr<nn::NetworkPass> pass;
};

/// Central differences of sum(weight * output), where the network is smooth. With step h = 2^-8 and
/// float32 inside, a difference is wrong by the third derivative times h^2 / 6 and by about
/// 2^-24 |loss| / h: 3e-3 of the largest gradient leaves room for both.
inline void expect_finite_differences(FilledNetwork& net, nn::Mode mode) {
  nn::NetworkPass& pass = *net.pass;
  const at::Tensor weight = at::empty(pass.output().sizes(), at::kFloat);
  fill_random(weight, 6);
  const auto loss = [&] {
    return (pass.forward(net.parameters, net.buffers, mode) * weight)
        .sum(at::kDouble)
        .item<double>();
  };
  const bool second = pass.second_input().defined();
  loss();
  pass.output_gradient().copy_(weight);
  pass.backward(net.parameters, net.gradients, second);
  const at::Tensor total = net.gradients.sum(0);
  const double scale = total.abs().max().item<double>();
  const auto check = [&](float& value, double gradient, const std::string& name) {
    const float kept = value;
    const float step = 0x1p-8F;
    value = kept + step;
    const double high = loss();
    value = kept - step;
    const double low = loss();
    value = kept;
    EXPECT_NEAR((high - low) / (2.0 * step), gradient, 3e-3 * scale) << name;
  };
  for (const nn::ParameterEntry& e : net.net.parameters().entries()) {
    for (std::int64_t i = e.offset; i < e.offset + e.size; i += 1 + e.size / 3) {
      check(net.parameters.data_ptr<float>()[i], total[i].item<double>(), e.name);
    }
  }
  if (!second) return;
  const at::Tensor gradient = pass.second_input_gradient().clone();
  for (std::int64_t g = 0; g < gradient.size(0); ++g) {
    check(pass.second_input()[g][1].data_ptr<float>()[1], gradient[g][1][1].item<double>(),
          "second input");
  }
}

}  // namespace tenfold::test
