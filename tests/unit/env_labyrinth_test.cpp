// The labyrinth's mazes, motion and rules.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>

#include "base/error.hpp"
#include "env/labyrinth/labyrinth_batch.hpp"
#include "env_play.hpp"
#include "support/labyrinth_guide.hpp"

namespace tenfold::env::labyrinth {
namespace {

using std::numbers::pi;

Maze maze_of(std::uint32_t seed, int count, double loop_prob) {
  base::Stream stream(seed, base::Purpose::kTest, 0, 0);
  Maze maze;
  build_maze(stream, count, loop_prob, maze);
  return maze;
}

// An empty room: the rim alone.
Maze room(int count) {
  Maze maze;
  maze.count = count;
  for (int j = 0; j < count; ++j) {
    for (int i = 0; i < count; ++i) {
      maze.walls[static_cast<std::size_t>(j * count + i)] =
          static_cast<std::uint8_t>((i == 0 ? kWest : 0) | (i + 1 == count ? kEast : 0) |
                                    (j == 0 ? kSouth : 0) | (j + 1 == count ? kNorth : 0));
    }
  }
  return maze;
}

// Walls of the maze as pieces between points, each once or twice.
struct Piece {
  double x, y, to_x, to_y;
};
std::vector<Piece> pieces(const Maze& maze) {
  std::vector<Piece> all;
  for (int j = 0; j < maze.count; ++j) {
    for (int i = 0; i < maze.count; ++i) {
      const double x = i, y = j;
      if (maze.wall(i, j, kEast)) all.push_back({x + 1, y, x + 1, y + 1});
      if (maze.wall(i, j, kWest)) all.push_back({x, y, x, y + 1});
      if (maze.wall(i, j, kNorth)) all.push_back({x, y + 1, x + 1, y + 1});
      if (maze.wall(i, j, kSouth)) all.push_back({x, y, x + 1, y});
    }
  }
  return all;
}

double clearance(const std::vector<Piece>& walls, const Pose& pose) {
  double least = 1e9;
  for (const Piece& wall : walls) {
    const double dx = pose.x - std::clamp(pose.x, wall.x, wall.to_x);
    const double dy = pose.y - std::clamp(pose.y, wall.y, wall.to_y);
    least = std::min(least, std::hypot(dx, dy));
  }
  return least;
}

TEST(Maze, IsASpanningTreeBeforeLoops) {
  for (const int count : {1, 2, 5, 9, 31}) {
    const Maze maze = maze_of(3, count, 0);
    EXPECT_EQ(maze.passages(), count * count - 1);
    const std::vector<int> distance = distances_to(maze, 0);
    EXPECT_EQ(std::count(distance.begin(), distance.end(), -1), 0) << count;
  }
}

// Of 2 N (N - 1) inner walls the tree leaves (N - 1)^2; a share of them goes.
TEST(Maze, LoopsTakeTheirShareOfTheWallsLeft) {
  double open = 0;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    open += maze_of(seed, 9, 0.15).passages() - 80;
    EXPECT_EQ(maze_of(seed, 9, 1).passages(), 2 * 9 * 8);
  }
  const double deviation = std::sqrt(0.15 * 0.85 * 64 / 200);
  EXPECT_NEAR(open / 200, 0.15 * 64, 4 * deviation);
}

TEST(Maze, BothCellsHoldAWallAndTheRimIsClosed) {
  const Maze maze = maze_of(5, 9, 0.15);
  for (int j = 0; j < 9; ++j) {
    EXPECT_TRUE(maze.wall(0, j, kWest) && maze.wall(8, j, kEast));
    EXPECT_TRUE(maze.wall(j, 0, kSouth) && maze.wall(j, 8, kNorth));
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(maze.wall(i, j, kEast), maze.wall(i + 1, j, kWest));
      EXPECT_EQ(maze.wall(j, i, kNorth), maze.wall(j, i + 1, kSouth));
    }
  }
}

TEST(Maze, FollowsFromItsSeedAlone) {
  EXPECT_EQ(maze_of(7, 9, 0.15).walls, maze_of(7, 9, 0.15).walls);
  std::set<std::array<std::uint8_t, Maze::kMost * Maze::kMost>> seen;
  for (std::uint32_t seed = 0; seed < 100; ++seed) seen.insert(maze_of(seed, 9, 0.15).walls);
  EXPECT_EQ(seen.size(), 100U);
}

// To x = 5 and y = 5 of an empty room, and to a wall inside it.
TEST(Ray, MeetsAxisAlignedWallsWhereGeometrySays) {
  Maze maze = room(5);
  for (double angle = -3.1; angle < 3.1; angle += 0.0137) {
    const double dx = std::cos(angle), dy = std::sin(angle);
    const double to_x = ((dx > 0 ? 5 : 0) - 1.3) / dx, to_y = ((dy > 0 ? 5 : 0) - 2.6) / dy;
    const Hit hit = cast_ray(maze, 1.3, 2.6, dx, dy);
    ASSERT_NEAR(hit.distance, std::min(to_x, to_y), 1e-9) << angle;
    ASSERT_EQ(hit.faces_x, to_x < to_y);
    const double place = to_x < to_y ? 2.6 + to_x * dy : 1.3 + to_y * dx;
    ASSERT_NEAR(hit.along, place - std::floor(place), 1e-9);
  }
  EXPECT_EQ(cast_ray(maze, 1.5, 2.5, 1, 0).distance, 3.5);
  EXPECT_EQ(cast_ray(maze, 1.5, 2.5, 0, -2).distance, 1.25) << "in lengths of the direction";
  maze.walls[2 * 5 + 3] |= kWest;
  maze.walls[2 * 5 + 2] |= kEast;
  EXPECT_EQ(cast_ray(maze, 1.5, 2.5, 1, 0).distance, 1.5);
  EXPECT_EQ(cast_ray(maze, 4.5, 2.5, -1, 0).distance, 1.5) << "from behind too";
}

// Against every wall of the maze, one by one.
TEST(Ray, MeetsTheNearestOfAllWalls) {
  const Maze maze = maze_of(2, 9, 0.15);
  const std::vector<Piece> walls = pieces(maze);
  base::Stream stream(2, base::Purpose::kTest, 1, 0);
  for (int k = 0; k < 2000; ++k) {
    const double x = stream.uniform(0, 9), y = stream.uniform(0, 9);
    const double angle = stream.uniform(-pi, pi), dx = std::cos(angle), dy = std::sin(angle);
    double nearest = 1e9;
    for (const Piece& wall : walls) {
      const bool upright = wall.x == wall.to_x;
      const double way = upright ? (wall.x - x) / dx : (wall.y - y) / dy;
      const double at = upright ? y + way * dy - wall.y : x + way * dx - wall.x;
      if (way > 0 && at >= 0 && at <= 1) nearest = std::min(nearest, way);
    }
    ASSERT_NEAR(cast_ray(maze, x, y, dx, dy).distance, nearest, 1e-9);
  }
}

// A walk that turns at random, as fast as settings allow.
TEST(Disc, IsNeverNearerToAWallThanItsRadius) {
  constexpr double kRadius = 0.125;
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    const Maze maze = maze_of(seed, 7, 0.3);
    const std::vector<Piece> walls = pieces(maze);
    base::Stream stream(seed, base::Purpose::kTest, 2, 0);
    Pose pose{3.5, 3.5, 0};
    std::set<int> visited;
    for (int k = 0; k < 20000; ++k) {
      pose.heading += stream.uniform(-0.4, 0.4);
      move_disc(maze, kRadius, 0.08 * std::cos(pose.heading), 0.08 * std::sin(pose.heading), pose);
      ASSERT_GE(clearance(walls, pose), kRadius - 1e-12) << "seed " << seed << " step " << k;
      visited.insert(static_cast<int>(pose.x) + 7 * static_cast<int>(pose.y));
    }
    EXPECT_GT(visited.size(), 24U) << "and gets about";
  }
}

TEST(Disc, SlidesAlongAWall) {
  const Maze maze = room(4);
  Pose pose{3.8, 1.5, 0};
  for (int k = 0; k < 10; ++k) move_disc(maze, 0.125, 0.04, 0.03, pose);
  EXPECT_DOUBLE_EQ(pose.x, 3.875);
  EXPECT_NEAR(pose.y, 1.8, 1e-12) << "what goes along the wall is not lost";
}

TEST(Disc, GoesRoundTheEndOfAWall) {
  Maze maze = room(4);
  maze.walls[1 * 4 + 1] |= kEast;  // from (2, 1) to (2, 2)
  maze.walls[1 * 4 + 2] |= kWest;
  Pose pose{1.5, 2.05, 0};
  double nearest = 1;
  for (int k = 0; k < 40; ++k) {
    move_disc(maze, 0.125, 0.04, 0, pose);
    nearest = std::min(nearest, std::hypot(pose.x - 2, pose.y - 2));
  }
  EXPECT_GT(pose.x, 2.5);
  EXPECT_GE(nearest, 0.125 - 1e-12);
  EXPECT_NEAR(pose.y, 2.125, 1e-3) << "only as far aside as it must";
  Pose head_on{1.5, 2, 0};
  for (int k = 0; k < 40; ++k) move_disc(maze, 0.125, 0.04, 0, head_on);
  EXPECT_NEAR(head_on.x, 1.875, 1e-12) << "straight at it there is nothing to slide along";
}

// A game in a room of 3 x 3 cells with the portal and one apple where told.
Game small_game(int portal, int apple) {
  Game game;
  game.maze = room(3);
  game.portal = portal;
  game.apples = 1;
  game.apple_cells[0] = static_cast<std::int16_t>(apple);
  game.left = 1;
  game.pose = {0.5, 0.5, 0};
  return game;
}
const Rules kSmall{.cells = 3, .apples = 1};

TEST(Labyrinth, AnAppleGivesOneOnce) {
  Game game = small_game(8, 2);  // the apple at (2.5, 0.5)
  double sum = 0;
  int steps = 0;
  for (; game.has_apple(0); ++steps) sum += control_step(kSmall, kForward, game);
  EXPECT_EQ(sum, 1);
  EXPECT_EQ(steps, 71) << "2 cells of 2 m less half a metre of reach at 0.05 m a step, beyond it";
  for (int k = 0; k < 60; ++k) sum += control_step(kSmall, k % 2 ? kForward : kBackward, game);
  EXPECT_EQ(sum, 1);
  EXPECT_EQ(game.eaten, 1);
}

TEST(Labyrinth, ThePortalGivesTenRestoresApplesAndSetsDownAnew) {
  std::set<std::pair<double, double>> places;
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    Game game = small_game(2, 8);
    game.respawn_seed = seed;
    game.left = 0;
    double reward = 0;
    while (game.portals == 0) reward += control_step(kSmall, kForward, game);
    EXPECT_EQ(reward, 10);
    EXPECT_TRUE(game.has_apple(0));
    const double x = game.pose.x, y = game.pose.y;
    EXPECT_FALSE((x == 2.5 && y == 0.5) || (x == 2.5 && y == 2.5)) << "another's cell";
    places.insert({x, y});
  }
  EXPECT_EQ(places.size(), 7U) << "any of the others";
}

TEST(Labyrinth, ChoicesMoveAsTheyAreNamed) {
  const double way = 3. / 60 / 2, turn = 135. / 60 * pi / 180;
  const auto after = [](Choice choice) {
    Game game = small_game(8, 7);
    game.pose = {1.5, 0.5, pi / 2};
    control_step(kSmall, choice, game);
    return game.pose;
  };
  EXPECT_NEAR(after(kForward).y, 0.5 + way, 1e-12);
  EXPECT_NEAR(after(kBackward).y, 0.5 - way, 1e-12);
  EXPECT_NEAR(after(kStrafeLeft).x, 1.5 - way, 1e-12);
  EXPECT_NEAR(after(kStrafeRight).x, 1.5 + way, 1e-12);
  EXPECT_NEAR(after(kTurnLeft).heading, pi / 2 + turn, 1e-12);
  EXPECT_NEAR(after(kTurnRight).heading, pi / 2 - turn, 1e-12);
  EXPECT_NEAR(after(kForwardLeft).x, 1.5 - way * std::sin(turn), 1e-12);
  EXPECT_NEAR(after(kForwardRight).x, 1.5 + way * std::sin(turn), 1e-12);
  EXPECT_NEAR(after(kForwardRight).heading, pi / 2 - turn, 1e-12);
}

TEST(Labyrinth, ThingsAndStartAreInDistinctCells) {
  base::Stream stream(1, base::Purpose::kTest, 3, 0);
  const Rules tight{.cells = 3, .apples = 7};
  for (int k = 0; k < 50; ++k) {
    Game game;
    start_game(tight, stream, game);
    std::set<int> cells = {static_cast<int>(game.portal)};
    for (int a = 0; a < 7; ++a) cells.insert(game.apple_cells[static_cast<std::size_t>(a)]);
    cells.insert(static_cast<int>(game.pose.x) + 3 * static_cast<int>(game.pose.y));
    EXPECT_EQ(cells.size(), 9U);
  }
}

std::unique_ptr<BatchEnv> made(const std::string& settings, std::size_t size = 1) {
  EnvOptions options;
  options.settings = settings;
  return make_env("labyrinth", size, options);
}

TEST(Labyrinth, LastsSixtySecondsAndIsTruncated) {
  const auto env = made("picture=16");
  EXPECT_EQ(env->spec().horizon, 900);
  start_all(*env, 1);
  const std::vector<float> action = {kTurnLeft};
  for (int k = 1; k <= 900; ++k) {
    env->step(action);
    ASSERT_EQ(env->truncated()[0], k == 900);
    ASSERT_EQ(env->terminal()[0], 0);
  }
  EXPECT_EQ(made("seconds=30")->spec().horizon, 450);
  EXPECT_THROW(env->step(action), base::Error) << "outside of an episode";
  EXPECT_THROW(made("cells=2,apples=3"), base::Error);
}

TEST(Labyrinth, AGuideFindsPortalAfterPortalAndFactsTellOfIt) {
  const auto env = made("picture=16,cells=5");
  start_all(*env, 4);
  EXPECT_TRUE(std::isnan(env->episode_facts(0)[2].second));
  const auto& batch = dynamic_cast<const LabyrinthBatch&>(*env);
  double score = 0, first = 0, last = 0;
  int portals = 0;
  for (int k = 1; k <= 900; ++k) {
    env->step(std::vector<float>{static_cast<float>(guided_choice(batch.game(0)))});
    score += env->rewards()[0];
    if (env->rewards()[0] < 10) continue;
    last = k / 15.;
    if (++portals == 1) first = last;
  }
  EXPECT_GT(portals, 5);
  const auto facts = env->episode_facts(0);
  EXPECT_EQ(facts[0], (std::pair<std::string, double>{"portals", portals}));
  EXPECT_EQ(facts[1], (std::pair<std::string, double>{"apples", score - 10 * portals}));
  EXPECT_EQ(facts[2].first, "first_portal_seconds");
  EXPECT_NEAR(facts[2].second, first, 1 / 15.);
  EXPECT_EQ(facts[3].first, "later_portal_seconds");
  EXPECT_NEAR(facts[3].second, (last - first) / (portals - 1), 1 / 15.);
}

}  // namespace
}  // namespace tenfold::env::labyrinth
