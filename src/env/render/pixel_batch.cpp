#include "env/render/pixel_batch.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::env {

using base::Code;
using base::Error;

PixelBatch::PixelBatch(std::unique_ptr<MujocoBatch> inner, const PixelOptions& options)
    : inner_(std::move(inner)),
      options_(options),
      renderer_(inner_->model(), options_.camera, options_.local_rank, options_.samples),
      repeats_(static_cast<std::size_t>(inner_->spec().action_repeat)),
      frame_size_(static_cast<std::size_t>(options_.width) *
                  static_cast<std::size_t>(options_.height) * 3 * repeats_),
      views_(inner_->size() * repeats_ * renderer_.view_size()),
      seen_(inner_->size()),
      frames_(inner_->size() * frame_size_),
      picture_(frame_size_ / repeats_) {
  inner_->watch(this);
}

std::span<const std::uint8_t> PixelBatch::frames(std::size_t row) const {
  return frames().subspan(row * frame_size_, frame_size_);
}

std::span<double> PixelBatch::view(std::size_t row, std::size_t k) {
  const std::size_t size = renderer_.view_size();
  return std::span<double>(views_).subspan((row * repeats_ + k) * size, size);
}

// Every control step after `from` looks as that one did.
void PixelBatch::fill_views(std::size_t row, std::size_t from) {
  const std::span<const double> last = view(row, from);
  for (std::size_t k = from + 1; k < repeats_; ++k) {
    std::copy(last.begin(), last.end(), view(row, k).begin());
  }
}

void PixelBatch::draw_row(std::size_t row) {
  std::uint8_t* frame = frames_.data() + row * frame_size_;
  for (std::size_t k = 0; k < repeats_; ++k) {
    const std::span<const double> now = view(row, k);
    if (k == 0 || !std::equal(now.begin(), now.end(), view(row, k - 1).begin())) {
      renderer_.draw(now, options_.width, options_.height, picture_);
    }
    for (std::size_t pixel = 0; 3 * pixel < picture_.size(); ++pixel) {
      std::copy_n(picture_.data() + 3 * pixel, 3, frame + 3 * (pixel * repeats_ + k));
    }
  }
}

void PixelBatch::reset(std::size_t row, base::Stream& stream) {
  inner_->reset(row, stream);
  renderer_.view(inner_->data(row), view(row, 0));
  fill_views(row, 0);
  draw_row(row);
}

void PixelBatch::after_control_step(std::size_t row, const mjData& data) {
  renderer_.view(data, view(row, seen_[row]++));
}

void PixelBatch::step(std::span<const float> actions) {
  std::fill(seen_.begin(), seen_.end(), 0);
  inner_->step(actions);
  for (std::size_t row = 0; row < size(); ++row) {
    if (seen_[row] == 0) {  // unstable at once: the decision before ended in the last good view
      std::ranges::copy(view(row, repeats_ - 1), view(row, 0).begin());
    }
    fill_views(row, std::max<std::size_t>(seen_[row], 1) - 1);
    draw_row(row);
  }
}

std::vector<std::uint8_t> PixelBatch::picture(std::size_t row, int width, int height) {
  std::vector<std::uint8_t> rgb(3 * static_cast<std::size_t>(width) *
                                static_cast<std::size_t>(height));
  renderer_.draw(view(row, repeats_ - 1), width, height, rgb);
  return rgb;
}

std::size_t PixelBatch::state_size() const {
  return inner_->state_size() + repeats_ * renderer_.view_size();
}

void PixelBatch::save(std::size_t row, std::span<double> state) const {
  base::require(state.size() == state_size(), "PixelBatch::save: wrong state size");
  inner_->save(row, state.first(inner_->state_size()));
  const std::size_t views = repeats_ * renderer_.view_size();
  std::copy_n(views_.data() + row * views, views, state.data() + inner_->state_size());
}

void PixelBatch::load(std::size_t row, std::span<const double> state) {
  base::require(state.size() == state_size(), "PixelBatch::load: wrong state size");
  inner_->load(row, state.first(inner_->state_size()));
  const std::size_t views = repeats_ * renderer_.view_size();
  std::copy_n(state.data() + inner_->state_size(), views, views_.data() + row * views);
  draw_row(row);
}

std::unique_ptr<PixelBatch> make_pixel_env(const std::string& task, std::size_t batch_size,
                                           const EnvOptions& options, const PixelOptions& pixels) {
  constexpr std::int64_t kPaperRepeat = 3;
  if (model_file(task).empty()) {
    throw Error(
        Code::kUsage,
        fmt::format("task {} has no pictures: MuJoCo does not simulate it", base::printable(task)),
        "Observe its state, or take one of MuJoCo's tasks (--list-tasks)");
  }
  if (pixels.width < 1 || pixels.height < 1) {
    throw Error(Code::kUsage,
                fmt::format("pictures of {} x {} pixels", pixels.width, pixels.height),
                "Width and height are at least 1");
  }
  EnvOptions taken = options;
  if (taken.action_repeat == 0) taken.action_repeat = kPaperRepeat;
  std::unique_ptr<BatchEnv> made = make_env(task, batch_size, taken);
  auto* simulated = dynamic_cast<MujocoBatch*>(made.get());
  base::require(simulated != nullptr, "make_pixel_env: a task with a model file is a MujocoBatch");
  made.release();  // NOLINT(bugprone-unused-return-value): simulated is the same object
  return std::make_unique<PixelBatch>(std::unique_ptr<MujocoBatch>(simulated), pixels);
}

}  // namespace tenfold::env
