// From an emulator's screens to what an agent sees.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tenfold::env {

inline constexpr std::int64_t kAtariSide = 84;  ///< rows and columns of a picture
inline constexpr std::int64_t kAtariStack = 4;  ///< pictures of an observation
inline constexpr std::size_t kAtariPixels = kAtariSide * kAtariSide;

/// Grey screens [height, width] to pictures [84, 84]: every pixel is the mean of the area that it
/// covers, rounded, halves to even. In floats, columns first, so that the bits are those of
/// OpenCV's INTER_AREA, which DQN's successors use.
class AreaResize {
 public:
  AreaResize(std::size_t height, std::size_t width);
  std::size_t screen_size() const { return height_ * width_; }
  void operator()(std::span<const std::uint8_t> screen, std::span<std::uint8_t> picture);

 private:
  struct Part {
    std::size_t first, count;      ///< of pixels under one pixel of the picture
    std::array<float, 8> weights;  ///< of each, sum 1
  };
  static std::vector<Part> parts(std::size_t size);
  void squeeze(const std::uint8_t* row, float* out) const;

  std::size_t height_, width_;
  std::vector<Part> rows_, columns_;
  std::vector<float> squeezed_;       ///< [height, 84]
  std::vector<const float*> of_row_;  ///< [height] equal rows share one of them
};

/// Into becomes the larger of both, pixel by pixel.
void join_screens(std::span<std::uint8_t> into, std::span<const std::uint8_t> other);

/// frames [84, 84, 4]: drops the oldest picture, appends this one.
void push_picture(std::span<std::uint8_t> frames, std::span<const std::uint8_t> picture);

/// All four are this one.
void fill_pictures(std::span<std::uint8_t> frames, std::span<const std::uint8_t> picture);

}  // namespace tenfold::env
