// Pictures of one model's simulations, drawn by MuJoCo without a window.
#pragma once

#include <mujoco/mujoco.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "env/render/gl_context.hpp"

namespace tenfold::env {

/// A picture is a function of a view (what of a simulation's state is seen: positions, and poses of
/// mocap bodies) and of nothing else, not of what was drawn before, so that pictures come back when
/// views do. On another GlContext::description() the bytes may differ.
///
/// No shadows, no reflections; round bodies have 12 sides, enough for small pictures. One serves
/// any number of simulations of the model.
class Renderer {
 public:
  /// The model must outlive this. camera: empty takes "fixed", else the model's first, else one
  /// that sees the whole model. Throws Code::kUsage for an unknown camera (names those that are)
  /// and as make_gl_context; Code::kData with MuJoCo's message when MuJoCo cannot draw the model.
  ///
  /// samples: of a pixel, against jagged edges; negative takes the model's (MuJoCo's 4). Without
  /// (0) a CPU draws 2 to 4 times as fast, but a motion by less than a pixel is not seen.
  Renderer(const mjModel& model, const std::string& camera, int local_rank, int samples = -1);
  ~Renderer();
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  std::size_t view_size() const { return view_size_; }  ///< doubles
  /// The view of a simulation's present state. Allocates nothing.
  void view(const mjData& data, std::span<double> view) const;
  /// rgb: [height, width, 3], top row first. The offscreen buffer takes this size, whatever the
  /// model's <visual><global offwidth offheight> says; a change of size takes about a millisecond.
  /// Throws Code::kUsage for a side beyond OpenGL's largest.
  void draw(std::span<const double> view, int width, int height, std::span<std::uint8_t> rgb);

  const std::string& backend() const { return gl_.description(); }

 private:
  void choose_camera(const std::string& name);
  void start(int samples);
  void resize(int width, int height);

  struct DataDeleter {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };

  const mjModel& model_;
  GlContext& gl_;
  std::size_t view_size_;
  /// Views are drawn from here: a simulation's derived quantities lag a step behind, and bringing
  /// them up to date in place could change what the simulation does next.
  std::unique_ptr<mjData, DataDeleter> data_;
  mjvOption option_{};
  mjvCamera camera_{};
  mjvScene scene_{};
  mjrContext context_{};
  std::vector<std::uint8_t> bottom_up_;
};

}  // namespace tenfold::env
