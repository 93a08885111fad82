// The networks of DDPG that a configuration asks for.
#pragma once

#include <cstdint>
#include <memory>

#include "ddpg/config.hpp"
#include "nn/mlp.hpp"

namespace tenfold::ddpg {

/// What the networks see: a state, float32 [size], or pictures, uint8 [height, width, channels].
struct ObservationShape {
  ObservationShape(std::int64_t numbers) : size(numbers) {}  // NOLINT(google-explicit-constructor)
  ObservationShape(std::int64_t rows, std::int64_t columns, std::int64_t colours)
      : size(rows * columns * colours), height(rows), width(columns), channels(colours) {}
  bool pictures() const { return channels > 0; }
  std::int64_t size = 0;
  std::int64_t height = 0, width = 0, channels = 0;
};

/// mu: observation -> action in [-1, 1]. Throws Code::kUsage when the options make no network.
std::unique_ptr<nn::Network> make_actor(const Config& config, const ObservationShape& observation,
                                        std::int64_t action_size);
/// Q: observation, action as the second input -> value.
std::unique_ptr<nn::Network> make_critic(const Config& config, const ObservationShape& observation,
                                         std::int64_t action_size);

nn::MlpSpec actor_spec(const Config& config, std::int64_t observation_size,
                       std::int64_t action_size);
nn::MlpSpec critic_spec(const Config& config, std::int64_t observation_size,
                        std::int64_t action_size);

}  // namespace tenfold::ddpg
