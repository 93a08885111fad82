// Random shifts of pictures, against a critic that fits the pixels it was shown instead of what
// they mean.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/philox.hpp"

namespace tenfold::rl {

/// A picture of bytes, row-major: [height, width, channels].
struct PictureLayout {
  std::size_t height, width, channels;
  std::size_t bytes() const { return height * width * channels; }
};

/// By so many pixels a picture moves down and to the right.
struct PictureShift {
  std::int64_t down = 0, right = 0;
};

/// Writes the picture moved by shift, all channels alike; what comes in over an edge repeats the
/// pixels of the edge. The two may not overlap.
void copy_shifted(const std::uint8_t* picture, const PictureLayout& layout,
                  const PictureShift& shift, std::uint8_t* moved);

/// Yarats et al. 2022 (DrQ-v2), section 3.1: padding by reach on all sides by repeating the edge,
/// and a crop of the old size anywhere.
class RandomShifts {
 public:
  RandomShifts(const PictureLayout& layout, std::int64_t reach, const base::Stream& stream)
      : layout_(layout), reach_(reach), stream_(stream) {}
  /// Copies a picture with the stream's next shift, both directions uniform in -reach to reach.
  void copy(const std::uint8_t* picture, std::uint8_t* moved);
  const PictureLayout& layout() const { return layout_; }

 private:
  std::int64_t draw();

  PictureLayout layout_;
  std::int64_t reach_;
  base::Stream stream_;
};

}  // namespace tenfold::rl
