#include "rl/frame_shift.hpp"

#include <algorithm>
#include <cstring>

namespace tenfold::rl {

namespace {

// Where of n pixels the one at i comes from.
std::size_t source(std::size_t i, std::int64_t shift, std::size_t n) {
  return static_cast<std::size_t>(std::clamp<std::int64_t>(static_cast<std::int64_t>(i) - shift, 0,
                                                           static_cast<std::int64_t>(n) - 1));
}

}  // namespace

void copy_shifted(const std::uint8_t* picture, const PictureLayout& layout,
                  const PictureShift& shift, std::uint8_t* moved) {
  const std::size_t pixel = layout.channels, line = layout.width * pixel;
  const auto width = static_cast<std::int64_t>(layout.width);
  // Columns from first to last keep a pixel of their own, the others repeat an edge.
  const auto first = static_cast<std::size_t>(std::clamp<std::int64_t>(shift.right, 0, width));
  const auto last = static_cast<std::size_t>(
      std::clamp<std::int64_t>(width + shift.right, static_cast<std::int64_t>(first), width));
  for (std::size_t y = 0; y < layout.height; ++y, moved += line) {
    const std::uint8_t* const from = picture + source(y, shift.down, layout.height) * line;
    const auto repeat = [&](std::size_t begin, std::size_t end) {
      for (std::size_t x = begin; x < end; ++x) {
        std::memcpy(moved + x * pixel, from + source(x, shift.right, layout.width) * pixel, pixel);
      }
    };
    repeat(0, first);
    std::memcpy(moved + first * pixel, from + source(first, shift.right, layout.width) * pixel,
                (last - first) * pixel);
    repeat(last, layout.width);
  }
}

std::int64_t RandomShifts::draw() {
  return static_cast<std::int64_t>(stream_.below(static_cast<std::uint64_t>(2 * reach_ + 1))) -
         reach_;
}

void RandomShifts::copy(const std::uint8_t* picture, std::uint8_t* moved) {
  PictureShift shift;
  shift.down = draw();
  shift.right = draw();
  copy_shifted(picture, layout_, shift, moved);
}

}  // namespace tenfold::rl
