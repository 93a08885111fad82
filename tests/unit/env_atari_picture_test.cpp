// From screens to pictures, and which game a task names; needs no emulator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "env/atari_picture.hpp"
#include "env/atari_task.hpp"

namespace tenfold::env {
namespace {

using testing::HasSubstr;

std::vector<std::uint8_t> noise(std::size_t count, std::uint32_t seed) {
  base::Stream draws(seed, base::Purpose::kTest, 0, 0);
  std::vector<std::uint8_t> bytes(count);
  for (std::uint8_t& each : bytes) each = static_cast<std::uint8_t>(draws.below(256));
  return bytes;
}

// Twice the mean of the area under pixel (y, x), as a fraction with denominator height * width: in
// whole numbers, pixel by pixel.
std::int64_t doubled_area(const std::vector<std::uint8_t>& screen, std::int64_t height,
                          std::int64_t width, std::int64_t y, std::int64_t x) {
  const auto overlap = [](std::int64_t i, std::int64_t size, std::int64_t j) {
    return std::max<std::int64_t>(
        0, std::min((i + 1) * size, (j + 1) * 84) - std::max(i * size, j * 84));
  };
  std::int64_t sum = 0;
  for (std::int64_t j = 0; j < height; ++j) {
    for (std::int64_t i = 0; i < width; ++i) {
      sum += overlap(y, height, j) * overlap(x, width, i) *
             screen[static_cast<std::size_t>(j * width + i)];
    }
  }
  return 2 * sum;
}

TEST(AtariPicture, PixelsAreRoundedMeansOfTheAreasUnderThem) {
  for (const std::int64_t height : {210, 250}) {
    const std::int64_t width = 160, whole = height * width;
    AreaResize resize(static_cast<std::size_t>(height), static_cast<std::size_t>(width));
    auto screen = noise(resize.screen_size(), static_cast<std::uint32_t>(height));
    // Equal rows, as in games.
    std::copy_n(screen.begin() + 40 * width, 5 * width, screen.begin() + 41 * width);
    std::vector<std::uint8_t> picture(kAtariPixels);
    resize(screen, picture);
    int checked = 0;
    for (std::int64_t y = 0; y < 84; y += 3) {
      for (std::int64_t x = 0; x < 84; x += 5) {
        const std::int64_t twice = doubled_area(screen, height, width, y, x);
        const std::int64_t twice_shown = 2 * whole * picture[static_cast<std::size_t>(y * 84 + x)];
        ASSERT_LE(std::abs(twice - twice_shown), whole) << "y " << y << ", x " << x;
        ++checked;
      }
    }
    EXPECT_EQ(checked, 28 * 17);
  }
}

TEST(AtariPicture, AScreenOfTheSameSizeStaysAndAFlatOneIsFlat) {
  AreaResize same(84, 84);
  const auto screen = noise(kAtariPixels, 3);
  std::vector<std::uint8_t> picture(kAtariPixels);
  same(screen, picture);
  EXPECT_EQ(picture, screen);
  AreaResize resize(210, 160);
  resize(std::vector<std::uint8_t>(210 * 160, 87), picture);
  EXPECT_EQ(picture, std::vector<std::uint8_t>(kAtariPixels, 87));
  EXPECT_THROW(resize(screen, picture), base::Error);
}

TEST(AtariPicture, TheOldestPictureIsFirstAndLeavesFirst) {
  std::vector<std::uint8_t> frames(kAtariPixels * 4);
  const auto flat = [](std::uint8_t value) {
    return std::vector<std::uint8_t>(kAtariPixels, value);
  };
  const auto pixel = [&](std::size_t i) {
    return std::vector<int>(frames.begin() + static_cast<std::ptrdiff_t>(4 * i),
                            frames.begin() + static_cast<std::ptrdiff_t>(4 * i + 4));
  };
  fill_pictures(frames, flat(9));
  EXPECT_EQ(pixel(7055), (std::vector<int>{9, 9, 9, 9}));
  auto second = flat(2);
  second[5] = 200;
  push_picture(frames, flat(1));
  push_picture(frames, second);
  EXPECT_EQ(pixel(0), (std::vector<int>{9, 9, 1, 2}));
  EXPECT_EQ(pixel(5), (std::vector<int>{9, 9, 1, 200}));
  push_picture(frames, flat(3));
  push_picture(frames, flat(4));
  EXPECT_EQ(pixel(5), (std::vector<int>{1, 200, 3, 4}));
}

TEST(AtariPicture, ScreensJoinByTheirMaximum) {
  std::vector<std::uint8_t> into{0, 255, 7, 8};
  join_screens(into, std::vector<std::uint8_t>{1, 3, 7, 200});
  EXPECT_EQ(into, (std::vector<std::uint8_t>{1, 255, 7, 200}));
}

const std::vector<std::string> kGames{"pong", "ms_pacman", "tic_tac_toe_3d", "pitfall2"};

TEST(AtariGame, HasOneNameHoweverItIsWritten) {
  for (const char* name : {"pong", "Pong", "PONG", "ALE/Pong-v5", "Pong-v5", "ale/pong"}) {
    EXPECT_EQ(atari_game(std::string("atari:") + name, kGames), "pong") << name;
  }
  EXPECT_EQ(atari_game("atari:ALE/MsPacman-v5", kGames), "ms_pacman");
  EXPECT_EQ(atari_game("atari:MsPacman", kGames), "ms_pacman");
  EXPECT_EQ(atari_game("atari:TicTacToe3D", kGames), "tic_tac_toe_3d");
}

TEST(AtariGame, NamesTheNearestOfOthersOrAll) {
  const auto refusal = [](const std::string& task) {
    try {
      return "no refusal: " + atari_game(task, kGames);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      return std::string(error.what());
    }
  };
  EXPECT_THAT(refusal("atari:Pnog"), HasSubstr("Did you mean atari:pong?"));
  EXPECT_THAT(refusal("atari:Pong-v4"), HasSubstr("Did you mean atari:pong?"));
  EXPECT_THAT(refusal("atari:MsPacmanNoFrameskip-v4"), HasSubstr("Did you mean atari:ms_pacman?"));
  EXPECT_THAT(refusal("atari:"), HasSubstr("pong, ms_pacman"));
  EXPECT_THAT(refusal("atari:chessmaster"), HasSubstr("unknown Atari game"));
}

}  // namespace
}  // namespace tenfold::env
