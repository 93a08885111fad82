#include "ddpg/networks.hpp"

#include "base/error.hpp"

namespace tenfold::ddpg {

using kernels::Activation;

nn::MlpSpec actor_spec(const Config& config, std::int64_t observation_size,
                       std::int64_t action_size) {
  nn::MlpSpec spec;
  spec.input = observation_size;
  spec.hidden = config.actor_net;
  spec.output = action_size;
  spec.output_activation = Activation::kTanh;
  spec.final_init_bound = config.final_init;
  if (config.batch_norm == "paper") {
    spec.batch_norm_input = true;
    spec.batch_norm_hidden = static_cast<std::int64_t>(config.actor_net.size());
  }
  spec.batch_norm_momentum = config.bn_momentum;
  return spec;
}

nn::MlpSpec critic_spec(const Config& config, std::int64_t observation_size,
                        std::int64_t action_size) {
  nn::MlpSpec spec;
  spec.input = observation_size;
  spec.hidden = config.critic_net;
  spec.output = 1;
  spec.second_input = action_size;
  spec.second_layer = config.action_layer;
  spec.final_init_bound = config.final_init;
  if (config.batch_norm == "paper") {
    // Section 3: "all layers of the Q network prior to the action input".
    spec.batch_norm_input = true;
    spec.batch_norm_hidden = config.action_layer - 1;
  }
  spec.batch_norm_momentum = config.bn_momentum;
  return spec;
}

std::unique_ptr<nn::Network> make_actor(const Config& config, const ObservationShape& observation,
                                        std::int64_t action_size) {
  base::require(!observation.pictures(), "pictures need a convolutional network");
  return std::make_unique<nn::Mlp>(actor_spec(config, observation.size, action_size));
}

std::unique_ptr<nn::Network> make_critic(const Config& config, const ObservationShape& observation,
                                         std::int64_t action_size) {
  base::require(!observation.pictures(), "pictures need a convolutional network");
  return std::make_unique<nn::Mlp>(critic_spec(config, observation.size, action_size));
}

}  // namespace tenfold::ddpg
