// Pictures of one environment for films.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "env/batch_env.hpp"

namespace tenfold::rl {

/// Takes what an episode looks like while it is played; draws it afterwards, in any size.
class Camera {
 public:
  virtual ~Camera() = default;
  /// Pixels that a film of it has: even.
  virtual int width() const = 0;
  virtual int height() const = 0;
  virtual void clear() = 0;
  /// One more shot, of the batch's first environment as it is now.
  virtual void take() = 0;
  virtual std::size_t shots() const = 0;
  /// [height, width, 3], red, green, blue, top row first.
  virtual std::vector<std::uint8_t> draw(std::size_t shot, int width, int height) = 0;
};

/// MuJoCo's tasks are drawn by env::Renderer; of others it shows what the agent sees, if that is a
/// picture: RGB and grey bytes as they are (of several grey ones the newest), planes each in a
/// colour of its own. envs must outlive it. Throws Code::kUsage for a task that has no picture, and
/// as env::Renderer.
std::unique_ptr<Camera> make_camera(const env::BatchEnv& envs);

}  // namespace tenfold::rl
