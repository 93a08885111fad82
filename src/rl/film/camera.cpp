#include "rl/film/camera.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "env/render/pixel_batch.hpp"
#include "env/render/renderer.hpp"

namespace tenfold::rl {

namespace {

using Colour = std::array<std::uint8_t, 3>;

class Simulated final : public Camera {
 public:
  explicit Simulated(const env::MujocoBatch& batch)
      : batch_(batch), renderer_(batch.model(), "", 0) {}

  int width() const override { return 480; }
  int height() const override { return 360; }
  void clear() override { views_.clear(); }
  void take() override {
    views_.emplace_back(renderer_.view_size());
    renderer_.view(batch_.data(0), views_.back());
  }
  std::size_t shots() const override { return views_.size(); }
  std::vector<std::uint8_t> draw(std::size_t shot, int width, int height) override {
    std::vector<std::uint8_t> rgb(3 * static_cast<std::size_t>(width) *
                                  static_cast<std::size_t>(height));
    renderer_.draw(views_[shot], width, height, rgb);
    return rgb;
  }

 private:
  const env::MujocoBatch& batch_;
  env::Renderer renderer_;
  std::vector<std::vector<double>> views_;
};

// Okabe and Ito's colours on black: tell planes apart for everyone.
constexpr std::array<Colour, 8> kPlanes{
    Colour{230, 159, 0}, Colour{86, 180, 233}, Colour{0, 158, 115},   Colour{240, 228, 66},
    Colour{0, 114, 178}, Colour{213, 94, 0},   Colour{204, 121, 167}, Colour{255, 255, 255}};

class Seen final : public Camera {
 public:
  static constexpr int kSide = 384;  // about that many pixels

  explicit Seen(const env::BatchEnv& envs)
      : envs_(envs),
        height_(static_cast<int>(envs.spec().picture[0])),
        width_(static_cast<int>(envs.spec().picture[1])),
        channels_(static_cast<std::size_t>(envs.spec().picture[2])),
        // Whole and even, so that every pixel becomes a square and the film's sides are even.
        factor_(std::max(2, kSide / std::max(height_, width_) / 2 * 2)) {}

  int width() const override { return factor_ * width_; }
  int height() const override { return factor_ * height_; }
  void clear() override { shots_.clear(); }
  void take() override {
    const std::size_t pixels = static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_);
    std::vector<Colour> shot(pixels);
    for (std::size_t p = 0; p < pixels; ++p) {
      shot[p] = envs_.frames().empty() ? of_planes(p) : of_bytes(p);
    }
    shots_.push_back(std::move(shot));
  }
  std::size_t shots() const override { return shots_.size(); }
  std::vector<std::uint8_t> draw(std::size_t shot, int width, int height) override {
    std::vector<std::uint8_t> rgb;
    rgb.reserve(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    for (int y = 0; y < height; ++y) {
      const int first = y * height_ / height * width_;
      const auto row = static_cast<std::size_t>(first);
      for (int x = 0; x < width; ++x) {
        const Colour& colour = shots_[shot][row + static_cast<std::size_t>(x * width_ / width)];
        rgb.insert(rgb.end(), colour.begin(), colour.end());
      }
    }
    return rgb;
  }

 private:
  Colour of_bytes(std::size_t pixel) const {
    const std::uint8_t* const bytes = envs_.frames().data() + pixel * channels_;
    if (channels_ == 3) return {bytes[0], bytes[1], bytes[2]};
    const std::uint8_t grey = bytes[channels_ - 1];
    return {grey, grey, grey};
  }
  // Later planes lie over earlier ones.
  Colour of_planes(std::size_t pixel) const {
    const float* const values = envs_.observations().data() + pixel * channels_;
    for (std::size_t k = channels_; k-- > 0;) {
      if (values[k] <= 0) continue;
      const double light = std::min(1.0F, values[k]);
      Colour colour = channels_ == 1 ? kPlanes.back() : kPlanes[k % kPlanes.size()];
      for (std::uint8_t& part : colour) part = static_cast<std::uint8_t>(std::lround(light * part));
      return colour;
    }
    return {};
  }

  const env::BatchEnv& envs_;
  int height_, width_;
  std::size_t channels_;
  int factor_;
  std::vector<std::vector<Colour>> shots_;
};

}  // namespace

std::unique_ptr<Camera> make_camera(const env::BatchEnv& envs) {
  if (const auto* const pixels = dynamic_cast<const env::PixelBatch*>(&envs)) {
    return std::make_unique<Simulated>(pixels->simulation());
  }
  if (const auto* const simulated = dynamic_cast<const env::MujocoBatch*>(&envs)) {
    return std::make_unique<Simulated>(*simulated);
  }
  if (envs.spec().picture[0] > 0) return std::make_unique<Seen>(envs);
  throw base::Error(base::Code::kUsage,
                    fmt::format("{} cannot be filmed: it shows {} numbers and no picture",
                                base::printable(envs.spec().name), envs.spec().observation_size),
                    "Tasks with pictures, and those that MuJoCo simulates here, can be filmed");
}

}  // namespace tenfold::rl
