// rollout_bench CASE WHO SECONDS: one measurement of rollout.py on one thread, one environment.
// Prints frames per CPU second of a forward pass per step and a backward pass per kSteps steps, for
// WHO = fused, torch (our engines) or eager (torch::nn modules as people write them); for `bytes`,
// of reading the parameters as often and writing their gradient; for `peak`, GFLOP/s of a product
// of 1024 x 1024. `describe` prints the network's multiplications and parameters.
#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/philox.hpp"
#include "nn/rollout_network.hpp"

namespace {

using namespace tenfold;
using nn::RolloutConv;
using nn::RolloutSpec;

constexpr std::int64_t kSteps = 5;

struct Case {
  RolloutSpec spec;
  double share = 1;  ///< of an observation's numbers that are not zero; those are ones where < 1
};

Case find_case(const std::string& name) {
  const std::vector<RolloutConv::Layer> dqn{{16, 8, 4, 0}, {32, 4, 2, 0}};
  const RolloutConv minatar{10, 10, 4, false, {{16, 3, 1, 0}}};
  const RolloutConv atari{84, 84, 4, true, dqn};
  using enum kernels::Activation;
  const std::map<std::string, Case> cases{
      {"cartpole", {{4, {}, {128}, kRelu, 0, 3}}},
      {"sparse", {{144, {}, {64}, kRelu, 0, 4}, 0.07}},
      {"conv10", {{0, minatar, {128}, kRelu, 0, 4}, 0.07}},
      {"dqn13", {{0, atari, {256}, kRelu, 0, 5}}},
      {"dqn13-lstm", {{0, atari, {256}, kRelu, 256, 5}}},
  };
  const auto found = cases.find(name);
  if (found == cases.end()) throw std::invalid_argument("no case " + name);
  return found->second;
}

// Observations [kSteps][...] and d loss / d output, the same for all.
struct Data {
  explicit Data(const Case& of) {
    const RolloutSpec& spec = of.spec;
    const bool bytes = spec.conv && spec.conv->bytes;
    shape = spec.conv ? std::vector<std::int64_t>{kSteps, 1, spec.conv->height, spec.conv->width,
                                                  spec.conv->channels}
                      : std::vector<std::int64_t>{kSteps, 1, spec.input};
    observations = torch::zeros(shape, bytes ? torch::kByte : torch::kFloat);
    slopes = torch::zeros({kSteps, 1, spec.output});
    base::Stream stream(1, base::Purpose::kTest, 0, 0);
    for (std::int64_t i = 0; i < observations.numel(); ++i) {
      if (bytes) {
        observations.data_ptr<std::uint8_t>()[i] = static_cast<std::uint8_t>(stream.below(256));
      } else if (of.share == 1) {
        observations.data_ptr<float>()[i] = static_cast<float>(stream.normal());
      } else if (stream.uniform(0, 1) < of.share) {
        observations.data_ptr<float>()[i] = 1;
      }
    }
    for (std::int64_t i = 0; i < slopes.numel(); ++i) {
      slopes.data_ptr<float>()[i] = static_cast<float>(stream.normal());
    }
  }
  std::vector<std::int64_t> shape;
  torch::Tensor observations, slopes;
};

/// Rollouts of kSteps frames until seconds of CPU time are over; frames per CPU second.
template <class Rollout>
double rate(double seconds, const Rollout& rollout) {
  const auto run = [&](double limit) {
    std::int64_t frames = 0;
    const double begin = base::cpu_now();
    double spent = 0;
    while (spent < limit) {
      // Looking at the clock must cost nothing beside the smallest network.
      for (int i = 0; i < 8; ++i) rollout();
      frames += 8 * kSteps;
      spent = base::cpu_now() - begin;
    }
    return static_cast<double>(frames) / spent;
  };
  run(seconds / 4);
  return run(seconds);
}

double ours(const Case& of, nn::RolloutEngine engine, double seconds) {
  const Data data(of);
  const auto net = nn::make_rollout_network(of.spec, engine);
  const torch::Tensor parameters = torch::empty({net->parameters().flat_size()});
  const torch::Tensor gradient = torch::empty_like(parameters);
  net->initialize(parameters, 1, 0);
  const auto pass = net->make_pass(kSteps, 1, torch::kCPU);
  const std::size_t seen = data.observations.nbytes() / kSteps;
  const std::size_t slope = data.slopes.nbytes() / kSteps;
  const auto* const observations = static_cast<const char*>(data.observations.data_ptr());
  const auto* const slopes = static_cast<const char*>(data.slopes.data_ptr());
  const bool floats = !pass->input(0).empty();
  return rate(seconds, [&] {
    for (std::int64_t t = 0; t < kSteps; ++t) {
      void* const to = floats ? static_cast<void*>(pass->input(t).data()) : pass->frames(t).data();
      std::memcpy(to, observations + t * seen, seen);
      pass->forward(t, parameters);
      std::memcpy(pass->output_gradient(t).data(), slopes + t * slope, slope);
    }
    pass->backward(kSteps, parameters, gradient);
  });
}

/// The network as torch::nn modules.
struct ModuleImpl : torch::nn::Module {
  explicit ModuleImpl(const RolloutSpec& of) : spec(of) {
    std::int64_t width = spec.input;
    if (spec.conv) {
      std::int64_t channels = spec.conv->channels, side = spec.conv->height;
      for (const RolloutConv::Layer& layer : spec.conv->layers) {
        body->push_back(torch::nn::Conv2d(
            torch::nn::Conv2dOptions(channels, layer.filters, layer.kernel).stride(layer.stride)));
        body->push_back(torch::nn::ReLU());
        side = (side - layer.kernel) / layer.stride + 1;
        channels = layer.filters;
      }
      body->push_back(torch::nn::Flatten());
      width = side * side * channels;
    }
    for (const std::int64_t units : spec.hidden) {
      body->push_back(torch::nn::Linear(width, units));
      body->push_back(torch::nn::ReLU());
      width = units;
    }
    register_module("body", body);
    if (spec.lstm > 0) {
      cell = register_module("cell", torch::nn::LSTMCell(width, spec.lstm));
      width = spec.lstm;
    }
    head = register_module("head", torch::nn::Linear(width, spec.output));
  }
  torch::Tensor forward(torch::Tensor x, std::tuple<torch::Tensor, torch::Tensor>& state) {
    x = body->forward(x);
    if (spec.lstm > 0) {
      state = cell->forward(x, state);
      x = std::get<0>(state);
    }
    return head->forward(x);
  }
  RolloutSpec spec;
  torch::nn::Sequential body;
  torch::nn::LSTMCell cell{nullptr};
  torch::nn::Linear head{nullptr};
};

double eager(const Case& of, double seconds) {
  const Data data(of);
  torch::manual_seed(1);
  ModuleImpl module(of.spec);
  std::tuple<torch::Tensor, torch::Tensor> state{torch::zeros({1, of.spec.lstm}),
                                                 torch::zeros({1, of.spec.lstm})};
  // Channels first, which is how people keep their frames.
  torch::Tensor observations = data.observations;
  if (of.spec.conv) observations = observations.permute({0, 1, 4, 2, 3}).contiguous();
  return rate(seconds, [&] {
    state = {std::get<0>(state).detach(), std::get<1>(state).detach()};
    torch::Tensor loss = torch::zeros({});
    for (std::int64_t t = 0; t < kSteps; ++t) {
      torch::Tensor x = observations[t];
      if (x.scalar_type() == torch::kByte) x = x.to(torch::kFloat) / 255;
      loss = loss + (module.forward(x, state) * data.slopes[t]).sum();
    }
    module.zero_grad();
    loss.backward();
  });
}

// The parameters are read for each frame and once for the gradient, which is written. Copied into
// the first-level cache, so that reading is all that takes time.
double bytes(const Case& of, double seconds) {
  constexpr std::size_t kPiece = 4096;
  const auto net = nn::make_rollout_network(of.spec, nn::RolloutEngine::kFused);
  const auto size = static_cast<std::size_t>(net->parameters().flat_size()) * sizeof(float);
  const std::vector<char> parameters(size);
  std::vector<char> gradient(size), piece(kPiece);
  return rate(seconds, [&] {
    for (std::int64_t t = 0; t <= kSteps; ++t) {
      for (std::size_t at = 0; at < size; at += kPiece) {
        std::memcpy(piece.data(), parameters.data() + at, std::min(kPiece, size - at));
        asm volatile("" : : "r"(piece.data()) : "memory");
      }
    }
    std::memset(gradient.data(), 0, size);
    asm volatile("" : : "r"(gradient.data()) : "memory");
  });
}

double peak(double seconds) {
  constexpr std::int64_t kSide = 1024;
  const torch::NoGradGuard no_graph;
  const torch::Tensor a = torch::rand({kSide, kSide}), b = torch::rand({kSide, kSide});
  torch::Tensor c = torch::empty({kSide, kSide});
  const double products = rate(seconds, [&] { torch::mm_out(c, a, b); }) / kSteps;
  return 2e-9 * kSide * kSide * kSide * products;
}

// Multiplications of one forward pass, and of the gradient of the lowest layer's input, which
// nothing asks for; parameters.
void describe(const Case& of) {
  const auto net = nn::make_rollout_network(of.spec, nn::RolloutEngine::kFused);
  std::int64_t all = 0, lowest = 0, side = of.spec.conv ? of.spec.conv->height : 0;
  std::size_t conv = 0;
  for (const nn::ParameterEntry& e : net->parameters().entries()) {
    if (!e.name.ends_with(".weight")) continue;
    std::int64_t products = e.size;
    if (e.name.starts_with("conv")) {
      const RolloutConv::Layer& layer = of.spec.conv->layers[conv++];
      side = (side - layer.kernel) / layer.stride + 1;
      products *= side * side;
    }
    if (all == 0) lowest = products;
    all += products;
  }
  std::printf("{\"products\": %ld, \"lowest\": %ld, \"parameters\": %ld}\n", all, lowest,
              net->parameters().parameter_count());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::invalid_argument("usage: rollout_bench CASE WHO SECONDS");
    torch::set_num_threads(1);
    const Case of = find_case(argv[1]);
    const std::string who = argv[2];
    const double seconds = std::stod(argv[3]);
    if (who == "describe") {
      describe(of);
      return EXIT_SUCCESS;
    }
    double found = 0;
    if (who == "fused") found = ours(of, nn::RolloutEngine::kFused, seconds);
    if (who == "torch") found = ours(of, nn::RolloutEngine::kTorch, seconds);
    if (who == "eager") found = eager(of, seconds);
    if (who == "bytes") found = bytes(of, seconds);
    if (who == "peak") found = peak(seconds);
    if (found == 0) throw std::invalid_argument("nobody is called " + who);
    std::printf("%.6g\n", found);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rollout_bench: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
