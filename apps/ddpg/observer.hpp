// What an agent sees of a batch of environments: their states, or pictures of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "ddpg/config.hpp"
#include "ddpg/networks.hpp"
#include "env/registry.hpp"
#include "env/render/pixel_batch.hpp"

namespace tenfold::ddpg {

env::EnvOptions env_options(const Config& config);

class Observer {
 public:
  /// rows environments of config's task. Throws as env::make_env, with --obs pixels as
  /// env::make_pixel_env.
  Observer(const Config& config, std::size_t rows, int local_rank);

  env::BatchEnv& envs() { return *envs_; }
  const env::Spec& spec() const { return envs_->spec(); }
  bool pictures() const { return pixels_ != nullptr; }
  const ObservationShape& shape() const { return shape_; }
  std::size_t frame_size() const { return pixels_ == nullptr ? 0 : pixels_->frame_size(); }
  /// What draws; empty without pictures.
  std::string backend() const { return pixels_ == nullptr ? "" : pixels_->backend(); }

  /// [rows, size] float32 or [rows, height, width, channels] uint8, contiguous: the environments'
  /// own, overwritten by reset, step and load.
  const at::Tensor& seen() const { return seen_; }
  /// One row of seen(), or of a tensor like it.
  std::span<const float> state(const at::Tensor& rows, std::size_t row) const;
  std::span<const std::uint8_t> frame(const at::Tensor& rows, std::size_t row) const;
  /// Copies one row of seen() into a tensor like it.
  void copy_row(std::size_t row, const at::Tensor& to) const;

 private:
  std::unique_ptr<env::BatchEnv> envs_;
  const env::PixelBatch* pixels_ = nullptr;  ///< envs_, if it gives pictures
  ObservationShape shape_{0};
  at::Tensor seen_;
};

}  // namespace tenfold::ddpg
