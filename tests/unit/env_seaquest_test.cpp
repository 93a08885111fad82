// The rules of seaquest in situations made by hand, frame by frame.
#include <gtest/gtest.h>

#include "env/games/seaquest.hpp"

namespace tenfold::env::games {
namespace {

constexpr GridRules kPlain{0, true};
constexpr int kWait = 0, kLeft = 1, kUp = 2, kRight = 3, kDown = 4, kShoot = 5;

// In the middle, facing right; nobody comes in.
Seaquest diving() {
  Seaquest game;
  base::Stream stream(1, base::Purpose::kTest, 0, 0);
  game.reset(kPlain, stream);
  game.row = 4;
  game.newcomer.left = game.diver_newcomer.left = game.fire.left = 1000;
  return game;
}

TEST(Seaquest, ShotsHitWhatIsAhead) {
  Seaquest game = diving();
  game.enemies.of(4) = {Seaquest::kFish, 8, -1};
  game.mover.left = 1000;
  EXPECT_EQ(game.step(kPlain, kShoot).reward, 0);
  EXPECT_EQ(game.step(kPlain, kShoot).reward, 0) << "on 6";
  EXPECT_EQ(game.step(kPlain, kWait).reward, 0) << "on 7";
  EXPECT_EQ(game.step(kPlain, kWait).reward, 1);
  EXPECT_EQ(game.enemies.of(4).kind, 0);
  EXPECT_EQ(game.ours.of(4), 0) << "used up; a second one was still cooling";
  game.step(kPlain, kLeft);
  game.step(kPlain, kShoot);
  EXPECT_EQ(game.ours.left[4], at_column(4)) << "the way it faces";
}

TEST(Seaquest, FishMoveEveryFifthFrameAndTouchEnds) {
  Seaquest game = diving();
  game.enemies.of(4) = {Seaquest::kFish, 6, -1};
  for (int k = 0; k < 4; ++k) ASSERT_FALSE(game.step(kPlain, kWait).ended);
  Seaquest swimming = game;
  EXPECT_FALSE(swimming.step(kPlain, kDown).ended);
  EXPECT_TRUE(game.step(kPlain, kWait).ended);
  Seaquest against = diving();
  against.enemies.of(5) = {Seaquest::kSubmarine, 5, 1};
  EXPECT_TRUE(against.step(kPlain, kDown).ended);
}

TEST(Seaquest, SubmarinesShootAheadEveryTenthFrame) {
  Seaquest game = diving();
  game.enemies.of(4) = {Seaquest::kSubmarine, 9, -1};
  game.enemies.of(2) = {Seaquest::kFish, 9, -1};
  game.mover.left = 1000;
  game.fire.left = 1;
  game.step(kPlain, kWait);
  EXPECT_EQ(game.theirs.left[4], at_column(9));
  EXPECT_EQ(game.theirs.of(2), 0) << "fish do not";
  EXPECT_EQ(game.fire.left, 10);
  for (int k = 0; k < 3; ++k) ASSERT_FALSE(game.step(kPlain, kWait).ended);
  EXPECT_TRUE(game.step(kPlain, kWait).ended) << "four cells further";
}

TEST(Seaquest, TheOxygenLastsTwoHundredFramesUnderWater) {
  Seaquest game = diving();
  int frames = 0;
  while (!game.step(kPlain, kWait).ended) ++frames;
  EXPECT_EQ(frames, 200);
  Seaquest above = diving();
  above.row = 0;
  for (int k = 0; k < 300; ++k) ASSERT_FALSE(above.step(kPlain, kWait).ended);
  EXPECT_EQ(above.oxygen, 200);
}

TEST(Seaquest, ComingUpWithoutADiverEnds) {
  Seaquest game = diving();
  game.row = 1;
  const Outcome outcome = game.step(kPlain, kUp);
  EXPECT_TRUE(outcome.ended);
  EXPECT_EQ(outcome.reward, 0);
}

TEST(Seaquest, ComingUpWithSomeTakesOneAndBringsAir) {
  Seaquest game = diving();
  game.row = 1;
  game.rescued = 5;
  game.oxygen = 30;
  const Outcome outcome = game.step(kPlain, kUp);
  EXPECT_FALSE(outcome.ended);
  EXPECT_EQ(outcome.reward, 0);
  EXPECT_EQ(game.rescued, 4);
  EXPECT_EQ(game.oxygen, 200);
  EXPECT_EQ(game.wait, 18) << "harder";
  EXPECT_EQ(game.pace, 4);
  EXPECT_FALSE(game.step(kPlain, kUp).ended) << "it is up already";
  EXPECT_EQ(game.rescued, 4);
}

TEST(Seaquest, ComingUpWithSixPaysTheBarOfOxygen) {
  for (const auto& [oxygen, cells] : {std::pair{200, 10}, {181, 10}, {180, 9}, {21, 2}, {1, 1}}) {
    Seaquest game = diving();
    game.row = 1;
    game.rescued = 6;
    game.oxygen = oxygen;
    const Outcome outcome = game.step(kPlain, kUp);
    EXPECT_FALSE(outcome.ended);
    EXPECT_EQ(outcome.reward, cells) << oxygen;
    EXPECT_EQ(game.rescued, 0);
  }
}

TEST(Seaquest, HarderHasItsLimitsAndCanBeOff) {
  Seaquest game = diving();
  for (int k = 0; k < 30; ++k) {
    game.row = 1;
    game.rescued = 3;
    game.step(kPlain, kUp);
  }
  EXPECT_EQ(game.wait, 4);
  EXPECT_EQ(game.pace, 2);
  Seaquest even = diving();
  even.row = 1;
  even.rescued = 3;
  even.step({0, false}, kUp);
  EXPECT_EQ(even.wait, 20);
  EXPECT_EQ(even.pace, 5);
}

TEST(Seaquest, DiversAreTakenBySwimmingOrWaitingAndNoMoreThanSix) {
  Seaquest game = diving();
  game.divers.of(4) = {Seaquest::kDiver, 6, -1};
  game.diver_mover.left = 1000;
  game.step(kPlain, kRight);
  EXPECT_EQ(game.rescued, 1);
  EXPECT_EQ(game.divers.of(4).kind, 0);
  game.divers.of(4) = {Seaquest::kDiver, 7, -1};
  game.diver_mover.left = 1;
  game.step(kPlain, kWait);
  EXPECT_EQ(game.rescued, 2) << "it came";
  game.rescued = 6;
  game.divers.of(4) = {Seaquest::kDiver, 7, -1};
  game.step(kPlain, kRight);
  EXPECT_EQ(game.rescued, 6);
  EXPECT_EQ(game.divers.of(4).kind, Seaquest::kDiver) << "swims on";
}

TEST(Seaquest, ThePictureShowsAll) {
  Seaquest game = diving();
  game.enemies.of(2) = {Seaquest::kFish, 3, 1};
  game.enemies.of(6) = {Seaquest::kSubmarine, 8, -1};
  game.divers.of(7) = {Seaquest::kDiver, 0, 1};
  game.theirs.fire(6, 1, -1);
  game.ours.fire(4, 8, 1);
  game.oxygen = 95;
  game.rescued = 2;
  std::vector<float> seen(1000);
  game.observe(kPlain, seen.data());
  const std::string marks = "Sb*.vfs+rd";
  std::string text;
  for (std::size_t cell = 0; cell < 100; ++cell) {
    char mark = '-';
    for (std::size_t c = 0; c < 10; ++c) {
      if (seen[cell * 10 + c] == 1) mark = marks[c];
    }
    text += mark;
    if (cell % 10 == 9) text += '\n';
  }
  EXPECT_EQ(text,
            "----------\n----------\n--.f------\n----------\n----bS--*-\n----------\n"
            "-v------s.\nd---------\n----------\n+++++---rr\n");
}

}  // namespace
}  // namespace tenfold::env::games
