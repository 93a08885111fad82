#include "ddpg/networks.hpp"

#include "nn/torch_network.hpp"

namespace tenfold::ddpg {

using kernels::Activation;

namespace {

// What mu and Q have in common.
nn::MlpSpec hidden_layers(const Config& config, std::int64_t observation_size,
                          const std::vector<std::int64_t>& widths) {
  nn::MlpSpec spec;
  spec.input = observation_size;
  spec.hidden = widths;
  spec.final_init_bound = config.final_init;
  spec.batch_norm_input = config.batch_norm == "paper";
  spec.batch_norm_momentum = config.bn_momentum;
  if (config.layer_norm) spec.layer_norm_hidden = static_cast<std::int64_t>(widths.size());
  return spec;
}

}  // namespace

nn::MlpSpec actor_spec(const Config& config, std::int64_t observation_size,
                       std::int64_t action_size) {
  nn::MlpSpec spec = hidden_layers(config, observation_size, config.actor_net);
  spec.output = action_size;
  spec.output_activation = Activation::kTanh;
  if (config.batch_norm != "none") {
    spec.batch_norm_hidden = static_cast<std::int64_t>(config.actor_net.size());
  }
  return spec;
}

nn::MlpSpec critic_spec(const Config& config, std::int64_t observation_size,
                        std::int64_t action_size) {
  nn::MlpSpec spec = hidden_layers(config, observation_size, config.critic_net);
  spec.output = 1;
  spec.second_input = action_size;
  spec.second_layer = config.action_layer;
  // Section 3: "all layers of the Q network prior to the action input".
  if (config.batch_norm != "none") spec.batch_norm_hidden = config.action_layer - 1;
  return spec;
}

namespace {

nn::NetworkSpec network_spec(const Config& config, const ObservationShape& observation,
                             const nn::MlpSpec& layers) {
  if (!observation.pictures()) return layers;
  nn::ConvSpec conv;
  conv.height = observation.height;
  conv.width = observation.width;
  conv.channels = observation.channels;
  conv.filters = config.conv_filters;
  conv.kernel = config.conv_kernel;
  conv.stride = config.conv_stride;
  conv.padding = config.conv_kernel / 2;
  conv.batch_norm = config.batch_norm == "paper";
  return {layers, conv};
}

// auto: the fused engine, which tests/bench/ddpg_update.py never saw slower than LibTorch's
// operators on the same networks and with the same reduction.
std::unique_ptr<nn::Network> make_network(const Config& config, const nn::NetworkSpec& spec) {
  if (config.engine == "torch") return std::make_unique<nn::TorchNetwork>(spec);
  return std::make_unique<nn::Mlp>(spec);
}

}  // namespace

std::unique_ptr<nn::Network> make_actor(const Config& config, const ObservationShape& observation,
                                        std::int64_t action_size) {
  return make_network(
      config, network_spec(config, observation, actor_spec(config, observation.size, action_size)));
}

std::unique_ptr<nn::Network> make_critic(const Config& config, const ObservationShape& observation,
                                         std::int64_t action_size) {
  return make_network(config, network_spec(config, observation,
                                           critic_spec(config, observation.size, action_size)));
}

}  // namespace tenfold::ddpg
