#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "a3c/human_scores.hpp"
#include "base/error.hpp"

namespace tenfold::a3c {
namespace {

TEST(HumanScores, AreThoseOfTheTable) {
  const auto breakout = reference_scores("atari:breakout");
  ASSERT_TRUE(breakout.has_value());
  EXPECT_EQ(breakout->random, 1.7);
  EXPECT_EQ(breakout->human, 30.5);
  EXPECT_EQ(breakout->normalised(1.7), 0);
  EXPECT_EQ(breakout->normalised(30.5), 1);
  EXPECT_DOUBLE_EQ(reference_scores("atari:pong")->normalised(20.9), (20.9 + 20.7) / (14.6 + 20.7));
  EXPECT_FALSE(reference_scores("atari:adventure").has_value()) << "none of the 57";
  EXPECT_FALSE(reference_scores("breakout").has_value()) << "ours, of 10 x 10 cells";
}

TEST(HumanScores, ALineThatIsNoneIsNamed) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "tenfold_scores";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "atari57_scores.csv") << "game,random,human\npong,-20.7,\n";
  setenv("TENFOLD_DATA_DIR", folder.c_str(), 1);
  try {
    reference_scores("atari:pong");
    ADD_FAILURE() << "not refused";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kData);
    EXPECT_THAT(error.what(), testing::HasSubstr("'pong,-20.7,'"));
  }
  unsetenv("TENFOLD_DATA_DIR");
}

}  // namespace
}  // namespace tenfold::a3c
