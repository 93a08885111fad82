// What the labyrinth's agent sees, against what geometry says it must.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "env/labyrinth/labyrinth_batch.hpp"
#include "env_play.hpp"

namespace tenfold::env::labyrinth {
namespace {

using std::numbers::pi;

// A room of 5 x 5 cells, looked at from the middle of its west side, eastwards.
class Scene {
 public:
  explicit Scene(int side = 84) : view_{side} {
    game_.maze.count = 5;
    for (int k = 0; k < 5; ++k) {
      rim(0, k, kWest), rim(4, k, kEast), rim(k, 0, kSouth), rim(k, 4, kNorth);
    }
    game_.pose = {0.5, 2.5, 0};
    game_.portal = 0;  // behind
    game_.hue = 0.3;
  }
  void rim(int i, int j, Side side) {
    game_.maze.walls[static_cast<std::size_t>(j * 5 + i)] |= static_cast<std::uint8_t>(side);
  }
  void apple(int cell) {
    game_.apples = 1;
    game_.apple_cells[0] = static_cast<std::int16_t>(cell);
    game_.left = 1;
  }
  void draw() {
    std::vector<std::uint8_t> background(view_.bytes());
    draw_background(view_, background.data());
    frame_.assign(view_.bytes(), 0);
    draw_view(view_, game_, background.data(), frame_.data());
  }
  int channel(int row, int column, int k) const {
    return frame_[static_cast<std::size_t>(3 * (row * view_.side + column) + k)];
  }
  bool red(int row, int column) const {
    return channel(row, column, 0) > 100 && channel(row, column, 1) < 60 &&
           channel(row, column, 2) < 60;
  }
  bool cyan(int row, int column) const {
    return channel(row, column, 0) == 0 && channel(row, column, 1) > 60 &&
           channel(row, column, 2) > channel(row, column, 1) - 1;
  }
  template <class Test>
  std::vector<int> columns_with(Test test) const {
    std::vector<int> found;
    for (int column = 0; column < view_.side; ++column) {
      for (int row = 0; row < view_.side; ++row) {
        if (!test(row, column)) continue;
        found.push_back(column);
        break;
      }
    }
    return found;
  }
  std::vector<int> red_columns() const {
    return columns_with([this](int row, int column) { return red(row, column); });
  }
  Game& game() { return game_; }
  std::vector<std::uint8_t>& frame() { return frame_; }

 private:
  View view_;
  Game game_;
  std::vector<std::uint8_t> frame_;
};

// A wall d straight ahead fills focal * 2 * 0.4 / d rows about the middle, at all columns alike.
TEST(LabyrinthView, AWallAheadHasItsHeightAndIsSymmetric) {
  Scene scene;
  scene.game().pose = {3, 2.5, 0};
  scene.draw();
  const int rows = static_cast<int>(std::lround(42 * 0.4 / 2));
  const auto is_wall = [&](int row, int column) {  // greener than floor and ceiling
    return scene.channel(row, column, 1) > scene.channel(row, column, 0) + 20 &&
           scene.channel(row, column, 1) > scene.channel(row, column, 2) + 20;
  };
  for (int column = 0; column < 84; ++column) {
    for (int row = 0; row < 84; ++row) {
      ASSERT_EQ(is_wall(row, column), row >= 42 - rows && row < 42 + rows) << row << ' ' << column;
      for (int k = 0; k < 3; ++k) {
        if (is_wall(row, column)) {
          ASSERT_EQ(scene.channel(row, column, k), scene.channel(83 - row, column, k));
        }
      }
    }
  }
  // Left and right of the middle: the panels of a cell are not symmetric, heights and joints are.
  EXPECT_LT(scene.channel(42, 42 + 10, 1), scene.channel(42, 42 + 15, 1)) << "a joint at y = 2";
}

// Light 1 / (1 + d / 4), less on sides across x; near ones have panels, every second darker.
TEST(LabyrinthView, NearWallsAreBrighterAndFacesDiffer) {
  const auto seen = [](double x, double y, double heading) {
    Scene scene;
    scene.game().pose = {x, y, heading};
    scene.draw();
    return static_cast<double>(scene.channel(42, 41, 1));
  };
  const double far = seen(1.03, 2.55, 0), east = seen(3.53, 2.55, 0),
               north = seen(2.55, 3.53, pi / 2);
  EXPECT_NEAR(east / far, (1 + 3.97 / 4) / (1 + 1.47 / 4), 0.02);
  EXPECT_NEAR(north / east, 1 / 0.72, 0.02);
  EXPECT_NEAR(seen(3.53, 2.45, 0) / east, 0.9, 0.01);
}

// At depth 2 an apple of radius 0.14 covers 42 / 2 * 0.14 = 2.94 pixels each side of the middle.
TEST(LabyrinthView, AnAppleAheadIsRedInItsColumns) {
  Scene scene;
  scene.apple(2 * 5 + 2);
  scene.draw();
  EXPECT_EQ(scene.red_columns(), (std::vector<int>{39, 40, 41, 42, 43, 44}));
  EXPECT_TRUE(scene.red(42 + 5, 42)) << "below the eye, 0.2 * 21 = 4.2 pixels";
  EXPECT_FALSE(scene.red(42, 42));
  scene.apple(3 * 5 + 2);  // one cell to the left of it: 21 pixels
  scene.draw();
  EXPECT_EQ(scene.red_columns(), (std::vector<int>{18, 19, 20, 21, 22, 23}));
  scene.game().pose.heading = std::atan2(1, 2);  // turned to it: depth sqrt(5), 2.63 pixels
  scene.draw();
  EXPECT_EQ(scene.red_columns(), (std::vector<int>{39, 40, 41, 42, 43, 44}));
  scene.game().pose.heading = pi;
  scene.draw();
  EXPECT_TRUE(scene.red_columns().empty()) << "behind";
  scene.game().pose.heading = std::atan2(1, 2);
  scene.game().left = 0;
  scene.draw();
  EXPECT_TRUE(scene.red_columns().empty()) << "eaten";
}

TEST(LabyrinthView, WallsHideWhatIsBehindThem) {
  Scene scene;
  scene.apple(2 * 5 + 2);
  scene.rim(1, 2, kEast), scene.rim(2, 2, kWest);
  scene.draw();
  EXPECT_TRUE(scene.red_columns().empty());
  // From the north-west corner cell the wall's end is in line with the apple's middle, 2.08 pixels
  // of radius at depth sqrt(8): its left half is seen.
  scene.game().pose = {0.5, 4.5, -pi / 4};
  scene.draw();
  EXPECT_EQ(scene.red_columns(), (std::vector<int>{40, 41}));
}

TEST(LabyrinthView, NearThingsCoverFarOnes) {
  Scene scene;
  scene.game().portal = 2 * 5 + 3;
  scene.apple(2 * 5 + 2);
  scene.draw();
  const auto cyan =
      scene.columns_with([&](int row, int column) { return scene.cyan(row, column); });
  ASSERT_FALSE(cyan.empty());
  EXPECT_NEAR(cyan.front(), 42 - 14 * 0.26, 1);
  EXPECT_TRUE(scene.red(47, 42)) << "the apple before the portal";
  scene.game().portal = 2 * 5 + 1;
  scene.draw();
  EXPECT_TRUE(scene.red_columns().empty()) << "the portal before the apple";
}

TEST(LabyrinthView, SmallPicturesStillShowFarThings) {
  Scene scene(16);
  scene.apple(2 * 5 + 4);  // 0.28 pixels of radius
  scene.draw();
  EXPECT_EQ(scene.red_columns().size(), 1U);
}

// Everything of the picture's width is written, whatever its size.
TEST(LabyrinthView, FillsAllSizesAndLooksTheSameAtAll) {
  for (const int side : {16, 31, 84, 128, 240}) {
    Scene scene(side);
    scene.game().pose = {1.2, 3.1, 0.4};
    scene.draw();
    EXPECT_EQ(std::count(scene.frame().begin(), scene.frame().end(), 0), 0) << side;
    EXPECT_GT(scene.channel(0, 0, 2), scene.channel(0, 0, 0)) << "a bluish ceiling";
    EXPECT_GT(scene.channel(side - 1, side / 2, 0), scene.channel(side - 1, side / 2, 2));
  }
}

// The same bytes again, in any row of any batch, and after a load in the middle of an episode.
TEST(LabyrinthView, IsDeterministicToTheByte) {
  EnvOptions options;
  options.settings = "cells=5,picture=48";
  const auto one = make_env("labyrinth", 1, options), three = make_env("labyrinth", 3, options);
  start_all(*one, 9), start_all(*three, 9);
  base::Stream draws(9, base::Purpose::kTest, 0, 0);
  std::vector<double> state(one->state_size());
  std::vector<float> actions;
  std::vector<std::uint8_t> frame;
  for (int k = 0; k < 300; ++k) {
    const auto action = static_cast<float>(draws.below(kChoices));
    one->step(std::vector<float>{action});
    three->step(std::vector<float>{action, kForward, kTurnLeft});
    ASSERT_TRUE(std::equal(one->frames().begin(), one->frames().end(), three->frames().begin()));
    if (k == 150) one->save(0, state);
    if (k > 150) actions.push_back(action);
  }
  three->load(2, state);
  for (const float action : actions) three->step(std::vector<float>{kForward, kForward, action});
  const auto frames = three->frames().subspan(2 * one->frames().size());
  EXPECT_TRUE(std::equal(frames.begin(), frames.end(), one->frames().begin()));
  EXPECT_EQ(state_of(*three, 2), state_of(*one, 0));
}

}  // namespace
}  // namespace tenfold::env::labyrinth
