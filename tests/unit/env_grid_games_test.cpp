// The rules of the grid games in situations made by hand, frame by frame.
#include <gtest/gtest.h>

#include "env/games/asterix.hpp"
#include "env/games/breakout.hpp"
#include "env/games/freeway.hpp"
#include "env/games/space_invaders.hpp"

namespace tenfold::env::games {
namespace {

constexpr GridRules kPlain{0, true};

template <class Game>
Game fresh(std::uint32_t seed = 1) {
  Game game;
  base::Stream stream(seed, base::Purpose::kTest, 0, 0);
  game.reset(kPlain, stream);
  return game;
}

/// The picture as text: marks[c] where channel c is 1, later channels over earlier ones.
template <class Game>
std::string drawn(const Game& game, const std::string& marks) {
  std::vector<float> seen(Game::shape(kPlain).size);
  game.observe(kPlain, seen.data());
  std::string text;
  for (std::size_t cell = 0; cell < 100; ++cell) {
    char mark = '-';
    for (std::size_t c = 0; c < marks.size(); ++c) {
      if (seen[cell * marks.size() + c] == 1) mark = marks[c];
    }
    text += mark;
    if (cell % 10 == 9) text += '\n';
  }
  return text;
}

TEST(Breakout, StartsInACornerOfTheLowestBricks) {
  bool from_left = false, from_right = false;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const auto game = fresh<Breakout>(seed);
    (game.right > 0 ? from_left : from_right) = true;
    EXPECT_EQ(drawn(game, "=o.#"),
              "----------\n##########\n##########\n##########\n----------\n"
              "----------\n----------\n----------\n----------\n----=-----\n");
    EXPECT_EQ(game.row, 3);
    EXPECT_EQ(game.column, game.right > 0 ? 0 : 9);
  }
  EXPECT_TRUE(from_left && from_right);
}

Breakout breakout_at(std::int32_t row, std::int32_t column, std::int32_t down, std::int32_t right) {
  auto game = fresh<Breakout>();
  game.row = row;
  game.column = column;
  game.down = down;
  game.right = right;
  return game;
}

TEST(Breakout, ABrickPaysBreaksAndReflects) {
  Breakout game = breakout_at(4, 5, -1, 1);
  EXPECT_EQ(game.step(kPlain, 0).reward, 1);
  EXPECT_EQ(drawn(game, "=o.#"),
            "----------\n##########\n##########\n######-###\n-----.o---\n"
            "----------\n----------\n----------\n----------\n----=-----\n");
  EXPECT_EQ(game.step(kPlain, 1).reward, 0);
  EXPECT_EQ(drawn(game, "=o.#"),
            "----------\n##########\n##########\n######-###\n------.---\n"
            "-------o--\n----------\n----------\n----------\n---=------\n");
}

TEST(Breakout, AfterABrickTheBallPassesOverOthersForAFrame) {
  Breakout game = breakout_at(2, 5, -1, 1);
  game.bricks[1] = 0;
  EXPECT_EQ(game.step(kPlain, 0).reward, 1) << "the brick of row 1, from between the rows";
  EXPECT_EQ(game.step(kPlain, 0).reward, 0);
  EXPECT_EQ(game.row, 3) << "on a brick";
  EXPECT_EQ(game.step(kPlain, 0).reward, 0);
  EXPECT_EQ(game.row, 4);
  EXPECT_EQ(game.bricks[2], kFullRow);
}

TEST(Breakout, WallsReflect) {
  Breakout side = breakout_at(5, 9, 1, 1);
  side.step(kPlain, 0);
  EXPECT_EQ(side.column, 9);
  EXPECT_EQ(side.row, 6);
  side.step(kPlain, 0);
  EXPECT_EQ(side.column, 8);
  Breakout top = breakout_at(0, 3, -1, -1);
  top.step(kPlain, 0);
  EXPECT_EQ(top.row, 0);
  EXPECT_EQ(top.column, 2);
  EXPECT_EQ(top.down, 1);
}

TEST(Breakout, ThePaddleSendsItOnOrBack) {
  Breakout above = breakout_at(8, 4, 1, 1);
  EXPECT_FALSE(above.step(kPlain, 0).ended);
  EXPECT_EQ(above.right, 1);
  EXPECT_EQ(above.down, -1);
  EXPECT_EQ(above.row, 8);
  Breakout beside = breakout_at(8, 3, 1, 1);
  EXPECT_FALSE(beside.step(kPlain, 0).ended);
  EXPECT_EQ(beside.right, -1) << "met from the side";
  EXPECT_EQ(beside.down, -1);
  Breakout saved = breakout_at(8, 1, 1, 1);
  EXPECT_TRUE(saved.step(kPlain, 1).ended) << "the paddle gets to 3 only";
  Breakout missed = breakout_at(8, 6, 1, 1);
  const Outcome outcome = missed.step(kPlain, 0);
  EXPECT_TRUE(outcome.ended);
  EXPECT_EQ(outcome.reward, 0);
  EXPECT_EQ(missed.row, 9);
}

TEST(Breakout, NewBricksComeWhenTheBallIsDown) {
  Breakout game = breakout_at(4, 5, -1, 1);
  game.bricks = {0, 0, at_column(6)};
  EXPECT_EQ(game.step(kPlain, 0).reward, 1);
  for (int k = 0; k < 4; ++k) game.step(kPlain, 0);
  EXPECT_EQ(game.bricks[0] | game.bricks[1] | game.bricks[2], 0);
  game.paddle = 9;
  EXPECT_FALSE(game.step(kPlain, 0).ended);
  EXPECT_EQ(game.bricks[0] & game.bricks[1] & game.bricks[2], kFullRow);
}

// A road without a car on the way.
Freeway free_road() {
  auto game = fresh<Freeway>();
  for (Freeway::Car& each : game.cars) each = {0, 1, 5, {1000}};
  return game;
}

TEST(Freeway, MovesEveryThirdFrameAndTheTopPays) {
  Freeway game = free_road();
  std::vector<int> rows;
  double paid = 0;
  int frames = 0;
  for (; paid == 0 && frames < 100; ++frames) {
    paid += game.step(kPlain, 1).reward;
    if (frames < 7) rows.push_back(game.row);
  }
  EXPECT_EQ(rows, (std::vector<int>{8, 8, 8, 7, 7, 7, 6}));
  EXPECT_EQ(frames, 25) << "nine cells";
  EXPECT_EQ(game.row, 9);
  EXPECT_NE(game.cars[0].timer.left, 1000 - frames) << "the cars changed";
}

TEST(Freeway, WaitsAndGoesBack) {
  Freeway game = free_road();
  game.row = 5;
  game.step(kPlain, 0);
  EXPECT_EQ(game.row, 5);
  game.step(kPlain, 2);
  EXPECT_EQ(game.row, 6);
}

TEST(Freeway, ACarLeadsBackToTheBottom) {
  Freeway walked = free_road();
  walked.row = 5;
  walked.cars[3].column = 4;  // of row 4
  EXPECT_EQ(walked.step(kPlain, 1).reward, 0);
  EXPECT_EQ(walked.row, 9);
  Freeway driven = free_road();
  driven.row = 4;
  driven.cars[3] = {5, -1, 2, {1}};
  driven.step(kPlain, 0);
  EXPECT_EQ(driven.row, 9);
}

TEST(Freeway, CarsKeepTheirPaceAroundTheBoardAndTrailBehind) {
  Freeway game = free_road();
  game.cars[0] = {9, 1, 3, {3}};
  game.cars[1] = {0, -1, 1, {1}};
  std::vector<int> slow, quick;
  for (int k = 0; k < 6; ++k) {
    game.step(kPlain, 0);
    slow.push_back(game.cars[0].column);
    quick.push_back(game.cars[1].column);
  }
  EXPECT_EQ(slow, (std::vector<int>{9, 9, 0, 0, 0, 1}));
  EXPECT_EQ(quick, (std::vector<int>{9, 8, 7, 6, 5, 4}));
  const std::string text = drawn(game, "P=12345");
  EXPECT_EQ(text.substr(11, 10), "3=--------");
  EXPECT_EQ(text.substr(22, 10), "----=1----");
  EXPECT_EQ(text.substr(33, 10), "=--------5") << "around the edge";
}

TEST(Asterix, TreasurePaysAndAnEnemyEnds) {
  auto game = fresh<Asterix>();
  game.lanes.of(4) = {Asterix::kTreasure, 5, 1};
  Outcome outcome = game.step(kPlain, 2);
  EXPECT_EQ(outcome.reward, 1);
  EXPECT_FALSE(outcome.ended);
  EXPECT_EQ(game.lanes.of(4).kind, 0) << "taken";
  game.lanes.of(4) = {Asterix::kEnemy, 6, -1};
  game.mover.left = 1;
  outcome = game.step(kPlain, 0);
  EXPECT_TRUE(outcome.ended) << "it came";
  EXPECT_EQ(outcome.reward, 0);
}

TEST(Asterix, AllMoveEveryFifthFrameAndLeaveTheBoard) {
  auto game = fresh<Asterix>();
  game.newcomer.left = 1000;
  game.lanes.of(1) = {Asterix::kEnemy, 3, 1};
  game.lanes.of(8) = {Asterix::kTreasure, 0, -1};
  for (int k = 0; k < 4; ++k) game.step(kPlain, 0);
  EXPECT_EQ(drawn(game, "PE.T"),
            "----------\n--.E------\n----------\n----------\n----------\n"
            "-----P----\n----------\n----------\nT.--------\n----------\n");
  game.step(kPlain, 0);
  EXPECT_EQ(game.lanes.of(1).column, 4);
  EXPECT_EQ(game.lanes.of(8).kind, 0);
}

TEST(Asterix, ThePlayerStaysInTheRowsOneToEight) {
  auto game = fresh<Asterix>();
  game.newcomer.left = 1000;
  for (int k = 0; k < 12; ++k) game.step(kPlain, 2);
  EXPECT_EQ(game.row, 1);
  for (int k = 0; k < 12; ++k) game.step(kPlain, 3);
  EXPECT_EQ(game.column, 9);
  for (int k = 0; k < 12; ++k) game.step(kPlain, 4);
  EXPECT_EQ(game.row, 8);
  for (int k = 0; k < 12; ++k) game.step(kPlain, 1);
  EXPECT_EQ(game.column, 0);
}

TEST(Asterix, GetsHarderEveryHundredFrames) {
  auto game = fresh<Asterix>();
  const auto play = [&game](const GridRules& rules, int frames) {
    for (int k = 0; k < frames; ++k) {
      game.step(rules, 0);
      game.lanes.clear();
    }
  };
  play(kPlain, 100);
  EXPECT_EQ(game.wait, 9);
  EXPECT_EQ(game.pace, 5);
  play(kPlain, 100);
  EXPECT_EQ(game.wait, 8);
  EXPECT_EQ(game.pace, 4);
  play(kPlain, 2000);
  EXPECT_EQ(game.wait, 1);
  EXPECT_EQ(game.pace, 1);
  game = fresh<Asterix>();
  play({0, false}, 1000);
  EXPECT_EQ(game.wait, 10);
  EXPECT_EQ(game.pace, 5);
}

// One alien and nothing else on the board.
SpaceInvaders alien_at(std::size_t row, std::int32_t column) {
  auto game = fresh<SpaceInvaders>();
  game.aliens = {};
  game.aliens[row] = at_column(column);
  game.march.left = game.fire.left = 1000;
  return game;
}

TEST(SpaceInvaders, StartsWithFourRowsThatMoveLeft) {
  EXPECT_EQ(drawn(fresh<SpaceInvaders>(), "CA<>^v"),
            "--<<<<<<--\n--<<<<<<--\n--<<<<<<--\n--<<<<<<--\n----------\n"
            "----------\n----------\n----------\n----------\n-----C----\n");
}

TEST(SpaceInvaders, AShotFliesUpAndPays) {
  SpaceInvaders game = alien_at(6, 5);
  game.aliens[0] = at_column(0);
  EXPECT_EQ(game.step(kPlain, 3).reward, 0);
  EXPECT_EQ(game.ours[8], at_column(5));
  EXPECT_EQ(game.step(kPlain, 3).reward, 0) << "still cooling";
  EXPECT_EQ(game.ours[7], at_column(5));
  EXPECT_EQ(game.ours[8], 0);
  EXPECT_EQ(game.step(kPlain, 0).reward, 1);
  EXPECT_EQ(game.aliens[6], 0);
  EXPECT_EQ(game.ours[6], 0) << "used up";
  game.step(kPlain, 3);
  EXPECT_EQ(game.ours[8], 0) << "three frames after the shot";
  game.step(kPlain, 3);
  game.step(kPlain, 3);
  EXPECT_EQ(game.ours[8], at_column(5)) << "five";
}

TEST(SpaceInvaders, AtTheEdgeTheyMoveDownAndTurn) {
  SpaceInvaders game = alien_at(2, 1);
  game.march.left = 1;
  game.step(kPlain, 0);
  EXPECT_EQ(game.aliens[2], at_column(0)) << "the last one moves every frame";
  game.step(kPlain, 0);
  EXPECT_EQ(game.aliens[3], at_column(0));
  EXPECT_EQ(game.direction, 1);
  game.step(kPlain, 0);
  EXPECT_EQ(game.aliens[3], at_column(1));
}

TEST(SpaceInvaders, TheFewerTheFaster) {
  const auto moves = [](SpaceInvaders game) {
    int count = 0;
    game.march.left = 1;
    game.fire.left = 1000;
    for (int k = 0; k < 24; ++k) {
      const auto before = game.aliens;
      game.step(kPlain, 0);
      count += game.aliens != before;
    }
    return count;
  };
  EXPECT_EQ(moves(fresh<SpaceInvaders>()), 2) << "every 12 frames";
  auto four = alien_at(0, 5);
  four.aliens[0] = 0b0001111000;
  EXPECT_EQ(moves(four), 6) << "every 4";
  EXPECT_EQ(moves(alien_at(0, 5)), 24);
}

TEST(SpaceInvaders, TheNearestColumnShootsBackAndABulletEnds) {
  SpaceInvaders game = alien_at(1, 7);
  game.aliens[3] = at_column(7) | at_column(0);
  game.fire.left = 1;
  game.cannon = 7;
  game.step(kPlain, 0);
  EXPECT_EQ(game.theirs[3], at_column(7)) << "from the lowest of column 7";
  for (int k = 0; k < 5; ++k) ASSERT_FALSE(game.step(kPlain, 0).ended);
  SpaceInvaders dodging = game;
  EXPECT_FALSE(dodging.step(kPlain, 1).ended);
  EXPECT_TRUE(game.step(kPlain, 0).ended);
}

TEST(SpaceInvaders, AnAlienOnTheCannonsRowEnds) {
  SpaceInvaders game = alien_at(8, 0);
  game.march.left = 1;
  EXPECT_TRUE(game.step(kPlain, 0).ended);
}

TEST(SpaceInvaders, WavesGetFasterToALimit) {
  SpaceInvaders game = alien_at(7, 5);
  for (const int slowest : {11, 10, 9, 8, 7, 6, 6}) {
    game.aliens = {};
    game.aliens[7] = at_column(5);
    game.ours[8] = at_column(5);
    game.march.left = 1000;
    EXPECT_EQ(game.step(kPlain, 0).reward, 1);
    EXPECT_EQ(game.slowest, slowest);
    EXPECT_EQ(game.aliens[3], 0b0011111100) << "a new wave";
  }
}

}  // namespace
}  // namespace tenfold::env::games
