// MuJoCo tasks seen through a camera: the DDPG paper's pixel observations.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "env/mujoco_batch.hpp"
#include "env/registry.hpp"
#include "env/render/renderer.hpp"

namespace tenfold::env {

struct PixelOptions {
  int width = 64, height = 64;
  std::string camera = {};  ///< empty: "fixed", else the model's first
  int samples = -1;         ///< of a pixel, as Renderer's
  int local_rank = 0;       ///< which GPU draws, where there is one (GlContext)
};

/// A batch whose decisions also give frames(). All else is the task's own: observations() stay the
/// state (for the planner, or a critic that may see it), rewards, ends and physics have the bits
/// that they have without pictures.
///
/// A decision of R control steps (Spec::action_repeat; the paper's 3) has R pictures, one after
/// each control step. Where the task ended the decision early, or the physics went unstable, the
/// last picture of good physics fills the rest; a reset fills all with the first.
///
/// For learning from them: keep frames() as bytes, one decision's once (the next observation is the
/// next decision's, the last of an episode its own; R = 3 at 64x64: 36,864 bytes), divide by 255
/// when a batch is gathered, and move channels to the front there, once for a whole batch, if the
/// convolution wants them so. frames(row) is contiguous: one copy a decision.
class PixelBatch final : public BatchEnv, private StepWatcher {
 public:
  PixelBatch(std::unique_ptr<MujocoBatch> inner, const PixelOptions& options);

  /// [E, height, width, 3 R], bytes; top row first; channels 3 k + (0, 1, 2): red, green, blue
  /// after control step k. Overwritten by reset, step and load.
  std::span<const std::uint8_t> frames() const override { return frames_; }
  std::span<const std::uint8_t> frames(std::size_t row) const;
  const MujocoBatch& simulation() const { return *inner_; }
  std::size_t frame_size() const { return frame_size_; }  ///< bytes of a row: height width 3 R
  int width() const { return options_.width; }
  int height() const { return options_.height; }
  int channels() const { return static_cast<int>(3 * repeats_); }

  /// The row's present state in another size (films, sheets): [height, width, 3], top row first.
  /// Leaves frames() alone.
  std::vector<std::uint8_t> picture(std::size_t row, int width, int height);
  /// What draws, for a run's manifest: frames have the same bits only where it is the same.
  const std::string& backend() const { return renderer_.backend(); }

  const Spec& spec() const override { return inner_->spec(); }
  std::size_t size() const override { return inner_->size(); }
  void reset(std::size_t row, base::Stream& stream) override;
  void step(std::span<const float> actions) override;
  std::span<const float> observations() const override { return inner_->observations(); }
  std::span<const float> rewards() const override { return inner_->rewards(); }
  std::span<const std::uint8_t> terminal() const override { return inner_->terminal(); }
  std::span<const std::uint8_t> truncated() const override { return inner_->truncated(); }
  std::uint64_t unstable_count() const override { return inner_->unstable_count(); }
  /// The task's state, then the views of the last decision's R pictures: load draws them again.
  std::size_t state_size() const override;
  void save(std::size_t row, std::span<double> state) const override;
  void load(std::size_t row, std::span<const double> state) override;

 private:
  void after_control_step(std::size_t row, const mjData& data) override;
  std::span<double> view(std::size_t row, std::size_t k);
  void fill_views(std::size_t row, std::size_t from);
  void draw_row(std::size_t row);

  std::unique_ptr<MujocoBatch> inner_;
  PixelOptions options_;
  Renderer renderer_;
  std::size_t repeats_, frame_size_;
  std::vector<double> views_;      ///< [E, R, view_size]
  std::vector<std::size_t> seen_;  ///< [E] control steps of the present decision so far
  std::vector<std::uint8_t> frames_, picture_;
};

/// As make_env, with action_repeat 3 (the paper's) unless options say otherwise. Throws
/// Code::kUsage for tasks without MuJoCo (torcs, gym:ID), for a width or height below 1, and as
/// Renderer.
std::unique_ptr<PixelBatch> make_pixel_env(const std::string& task, std::size_t batch_size,
                                           const EnvOptions& options = {},
                                           const PixelOptions& pixels = {});

}  // namespace tenfold::env
