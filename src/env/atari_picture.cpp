#include "env/atari_picture.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.hpp"

namespace tenfold::env {

namespace {
constexpr auto kSide = static_cast<std::size_t>(kAtariSide);
constexpr auto kStack = static_cast<std::size_t>(kAtariStack);
}  // namespace

// In units of 1/84 of a screen's pixel, pixel i of the picture covers [i size, (i + 1) size) and
// pixel j of the screen [84 j, 84 (j + 1)).
std::vector<AreaResize::Part> AreaResize::parts(std::size_t size) {
  std::vector<Part> found;
  for (std::size_t i = 0; i < kSide; ++i) {
    const std::size_t begin = i * size, end = begin + size;
    Part part{begin / kSide, 0, {}};
    for (std::size_t j = part.first; j * kSide < end; ++j) {
      const std::size_t covered = std::min(end, (j + 1) * kSide) - std::max(begin, j * kSide);
      base::require(part.count < part.weights.size(), "AreaResize: the screen is too large");
      part.weights[part.count++] =
          static_cast<float>(static_cast<double>(covered) / static_cast<double>(size));
    }
    found.push_back(part);
  }
  return found;
}

AreaResize::AreaResize(std::size_t height, std::size_t width)
    : height_(height),
      width_(width),
      rows_(parts(height)),
      columns_(parts(width)),
      squeezed_(height * kSide),
      of_row_(height) {}

void AreaResize::squeeze(const std::uint8_t* row, float* out) const {
  for (std::size_t x = 0; x < kSide; ++x) {
    const Part& part = columns_[x];
    float sum = 0;
    for (std::size_t k = 0; k < part.count; ++k) {
      sum += static_cast<float>(row[part.first + k]) * part.weights[k];
    }
    out[x] = sum;
  }
}

void AreaResize::operator()(std::span<const std::uint8_t> screen, std::span<std::uint8_t> picture) {
  base::require(screen.size() == screen_size() && picture.size() == kAtariPixels,
                "AreaResize: another size");
  // Most rows of a game's screen look like the one above.
  for (std::size_t y = 0; y < height_; ++y) {
    const std::uint8_t* const row = screen.data() + y * width_;
    if (y > 0 && std::memcmp(row, row - width_, width_) == 0) {
      of_row_[y] = of_row_[y - 1];
    } else {
      float* const out = squeezed_.data() + y * kSide;
      squeeze(row, out);
      of_row_[y] = out;
    }
  }
  std::array<float, kSide> sum{};
  for (std::size_t y = 0; y < kSide; ++y) {
    const Part& part = rows_[y];
    for (std::size_t k = 0; k < part.count; ++k) {
      const float* const from = of_row_[part.first + k];
      const float weight = part.weights[k];
      for (std::size_t x = 0; x < kSide; ++x) {
        sum[x] = (k == 0 ? 0.0F : sum[x]) + weight * from[x];
      }
    }
    // A float of this size has steps of 1: adding it rounds, halves to even, without a call for
    // every pixel; the whole part is in its lowest bits.
    constexpr float kWhole = 12582912.0F;  // 1.5 * 2^23
    for (std::size_t x = 0; x < kSide; ++x) {
      const auto bits = std::bit_cast<std::uint32_t>(sum[x] + kWhole);
      picture[y * kSide + x] = static_cast<std::uint8_t>(bits & 0xffU);
    }
  }
}

void join_screens(std::span<std::uint8_t> into, std::span<const std::uint8_t> other) {
  base::require(into.size() == other.size(), "join_screens: other sizes");
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = std::max(into[i], other[i]);
}

void push_picture(std::span<std::uint8_t> frames, std::span<const std::uint8_t> picture) {
  for (std::size_t i = 0; i < picture.size(); ++i) {
    std::uint8_t* const pixel = frames.data() + i * kStack;
    for (std::size_t k = 0; k + 1 < kStack; ++k) pixel[k] = pixel[k + 1];
    pixel[kStack - 1] = picture[i];
  }
}

void fill_pictures(std::span<std::uint8_t> frames, std::span<const std::uint8_t> picture) {
  for (std::size_t i = 0; i < picture.size(); ++i) {
    std::fill_n(frames.data() + i * kStack, kStack, picture[i]);
  }
}

}  // namespace tenfold::env
