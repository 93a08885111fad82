#include "ddpg/observer.hpp"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cstring>

namespace tenfold::ddpg {

env::EnvOptions env_options(const Config& config) {
  return {config.horizon,
          config.repeat,
          config.terminate_on_fall,
          config.mjcf_dir,
          {config.reward, config.ends_when, config.start_noise, config.control_dt}};
}

namespace {

// ATen has no tensors of constants; nobody writes through these.
template <class T>
at::Tensor view_of(std::span<const T> values, at::IntArrayRef sizes, at::ScalarType type) {
  return at::from_blob(const_cast<T*>(values.data()), sizes, at::TensorOptions().dtype(type));
}

}  // namespace

Observer::Observer(const Config& config, std::size_t rows, int local_rank) {
  const auto count = static_cast<std::int64_t>(rows);
  if (config.obs != "pixels") {
    envs_ = env::make_env(config.task, rows, env_options(config));
    shape_ = ObservationShape(static_cast<std::int64_t>(spec().observation_size));
    seen_ = view_of(envs_->observations(), {count, shape_.size}, at::kFloat);
    return;
  }
  const auto side = static_cast<int>(config.pixel_size);
  auto made = env::make_pixel_env(
      config.task, rows, env_options(config),
      {.width = side, .height = side, .camera = config.camera, .local_rank = local_rank});
  pixels_ = made.get();
  envs_ = std::move(made);
  shape_ = ObservationShape(side, side, pixels_->channels());
  seen_ = view_of(pixels_->frames(), {count, side, side, shape_.channels}, at::kByte);
}

std::span<const float> Observer::state(const at::Tensor& rows, std::size_t row) const {
  const auto width = static_cast<std::size_t>(shape_.size);
  return {rows.const_data_ptr<float>() + row * width, width};
}

std::span<const std::uint8_t> Observer::frame(const at::Tensor& rows, std::size_t row) const {
  const auto width = static_cast<std::size_t>(shape_.size);
  return {rows.const_data_ptr<std::uint8_t>() + row * width, width};
}

void Observer::copy_row(std::size_t row, const at::Tensor& to) const {
  const std::size_t bytes = static_cast<std::size_t>(shape_.size) * seen_.element_size();
  std::memcpy(static_cast<std::byte*>(to.mutable_data_ptr()) + row * bytes,
              static_cast<const std::byte*>(seen_.const_data_ptr()) + row * bytes, bytes);
}

}  // namespace tenfold::ddpg
