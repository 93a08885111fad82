// Shifted pictures against what their description says: pad by repeating the edge, then crop.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "rl/frame_replay.hpp"

namespace tenfold::rl {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes noise(const PictureLayout& layout, std::uint64_t number) {
  base::Stream stream(9, base::Purpose::kTest, 2, number);
  Bytes picture(layout.bytes());
  for (std::uint8_t& byte : picture) byte = static_cast<std::uint8_t>(stream.below(256));
  return picture;
}

// Pads by `pad` pixels on all sides, then takes what begins `top` rows and `left` columns in.
Bytes pad_and_crop(const Bytes& picture, const PictureLayout& layout, int pad, int top, int left) {
  const int height = static_cast<int>(layout.height), width = static_cast<int>(layout.width);
  const int channels = static_cast<int>(layout.channels), wide = width + 2 * pad;
  Bytes padded;
  for (int y = -pad; y < height + pad; ++y) {
    for (int x = -pad; x < width + pad; ++x) {
      const int row = std::clamp(y, 0, height - 1), column = std::clamp(x, 0, width - 1);
      for (int c = 0; c < channels; ++c) {
        padded.push_back(picture[static_cast<std::size_t>((row * width + column) * channels + c)]);
      }
    }
  }
  Bytes crop;
  for (int y = top; y < top + height; ++y) {
    const auto begin = padded.begin() + (y * wide + left) * channels;
    crop.insert(crop.end(), begin, begin + width * channels);
  }
  return crop;
}

TEST(FrameShift, IsACropOfThePaddedPicture) {
  for (const PictureLayout& layout : {PictureLayout{6, 5, 3}, {1, 4, 1}, {4, 1, 9}, {7, 7, 2}}) {
    const Bytes picture = noise(layout, 0);
    constexpr int kPad = 9;  // also further than a picture is wide
    for (int down = -kPad; down <= kPad; ++down) {
      for (int right = -kPad; right <= kPad; ++right) {
        Bytes moved(layout.bytes() + 1, 77);
        copy_shifted(picture.data(), layout, {down, right}, moved.data());
        EXPECT_EQ(moved.back(), 77) << "writes behind its picture";
        moved.pop_back();
        ASSERT_EQ(moved, pad_and_crop(picture, layout, kPad, kPad - down, kPad - right))
            << layout.height << " x " << layout.width << " by " << down << ", " << right;
      }
    }
    Bytes still(layout.bytes());
    copy_shifted(picture.data(), layout, {}, still.data());
    EXPECT_EQ(still, picture);
  }
}

TEST(FrameShift, AllShiftsAreEquallyLikely) {
  const PictureLayout layout{9, 9, 1};
  Bytes picture(layout.bytes(), 0), moved(layout.bytes());
  picture[4 * 9 + 4] = 1;  // the centre, which says where it went
  constexpr std::int64_t kReach = 2;
  constexpr int kDraws = 25'000;
  RandomShifts shifts(layout, kReach, base::Stream(4, base::Purpose::kTest, 3, 0));
  std::map<std::ptrdiff_t, double> count;
  for (int k = 0; k < kDraws; ++k) {
    shifts.copy(picture.data(), moved.data());
    ASSERT_EQ(std::count(moved.begin(), moved.end(), 1), 1);
    count[std::find(moved.begin(), moved.end(), 1) - moved.begin()] += 1;
  }
  ASSERT_EQ(count.size(), 25U);
  double chi_square = 0;
  for (const auto& [place, times] : count) {
    EXPECT_LE(std::abs(place / 9 - 4), kReach);
    EXPECT_LE(std::abs(place % 9 - 4), kReach);
    chi_square += (times - kDraws / 25.0) * (times - kDraws / 25.0) / (kDraws / 25.0);
  }
  EXPECT_NEAR(chi_square, 24, 3.3 * std::sqrt(2 * 24.0));
}

// A ring of pictures, all drawn at once with and without shifts.
struct Shown {
  static constexpr std::size_t kPictures = 12;
  static constexpr PictureLayout kLayout{5, 4, 9};
  Shown() {
    for (std::size_t k = 0; k < kPictures; ++k) {
      const Ending ending = k % 4 == 3 ? Ending::kTruncated : Ending::kNone;
      shard.add(0, noise(kLayout, 2 * k), std::array{static_cast<float>(k)}, 1,
                noise(kLayout, 2 * k + 1), ending);
    }
    for (std::size_t slot = 0; slot < shard.capacity(); ++slot) {
      if (shard.drawable(slot)) slots.push_back(slot);
    }
  }
  std::pair<Bytes, Bytes> gather(RandomShifts* shifts) const {
    const std::size_t bytes = slots.size() * kLayout.bytes();
    std::pair<Bytes, Bytes> seen{Bytes(bytes), Bytes(bytes)};
    std::vector<float> action(slots.size()), reward(slots.size()), discount(slots.size());
    shard.gather(
        slots, {.steps = 2},
        {seen.first.data(), action.data(), reward.data(), seen.second.data(), discount.data()},
        shifts);
    return seen;
  }
  static RandomShifts shifts(std::int64_t reach, std::uint64_t number) {
    return {kLayout, reach, base::Stream(6, base::Purpose::kPictureShift, 1, number)};
  }
  FrameShard shard{32, kLayout.bytes(), 1, 1};
  std::vector<std::size_t> slots;
};

TEST(FrameShift, AGatheredRowIsMovedTwiceByItsStream) {
  const Shown shown;
  ASSERT_EQ(shown.slots.size(), Shown::kPictures);
  const auto still = shown.gather(nullptr);
  constexpr int kReach = 2;
  RandomShifts shifts = Shown::shifts(kReach, 7);
  const auto moved = shown.gather(&shifts);
  base::Stream stream(6, base::Purpose::kPictureShift, 1, 7);
  int differ = 0;
  for (std::size_t row = 0; row < shown.slots.size(); ++row) {
    std::array<std::pair<int, int>, 2> by;
    for (auto& [down, right] : by) {
      down = static_cast<int>(stream.below(2 * kReach + 1)) - kReach;
      right = static_cast<int>(stream.below(2 * kReach + 1)) - kReach;
    }
    differ += by[0] != by[1] ? 1 : 0;
    const auto check = [&](const Bytes& before, const Bytes& after, std::pair<int, int> each) {
      const auto at = static_cast<std::ptrdiff_t>(row * Shown::kLayout.bytes());
      const auto end = at + static_cast<std::ptrdiff_t>(Shown::kLayout.bytes());
      const Bytes picture(before.begin() + at, before.begin() + end);
      EXPECT_EQ(
          Bytes(after.begin() + at, after.begin() + end),
          pad_and_crop(picture, Shown::kLayout, kReach, kReach - each.first, kReach - each.second))
          << row;
    };
    check(still.first, moved.first, by[0]);
    check(still.second, moved.second, by[1]);
  }
  EXPECT_GT(differ, 6) << "observation and next observation move independently";
  RandomShifts again = Shown::shifts(kReach, 7), other = Shown::shifts(kReach, 8);
  EXPECT_EQ(shown.gather(&again), moved);
  EXPECT_NE(shown.gather(&other), moved);
}

TEST(FrameShift, ByZeroNothingMoves) {
  const Shown shown;
  RandomShifts none = Shown::shifts(0, 7);
  EXPECT_EQ(shown.gather(&none), shown.gather(nullptr));
}

TEST(FrameShift, PicturesOfAnotherSizeAreRefused) {
  const Shown shown;
  RandomShifts shifts({5, 4, 3}, 1, base::Stream(6, base::Purpose::kPictureShift, 1, 7));
  EXPECT_THROW(shown.gather(&shifts), base::Error);
}

}  // namespace
}  // namespace tenfold::rl
