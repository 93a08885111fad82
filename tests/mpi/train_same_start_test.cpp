#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/same_start.hpp"

namespace tenfold::train {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(SameStart, WordsAreArgumentsAndOptionsOfTheEnvironment) {
  EXPECT_THAT(
      start_words({"--lr", "1"}, {"HOME=/root", "TENFOLD_TASK__TASK=b", "TENFOLD_FAULT=kill",
                                  "TENFOLD_RUN__SEED=2", "TENFOLD_DEADLINE=3"}),
      ElementsAre("--lr", "1", "TENFOLD_RUN__SEED=2", "TENFOLD_TASK__TASK=b"));
}

TEST(SameStart, AnotherStartIsNamed) {
  const comm::Communicator world = comm::Communicator::world();
  EXPECT_NO_THROW(require_same_start(world, {}));
  EXPECT_NO_THROW(require_same_start(world, {"--lr", "1"}));
  if (world.size() == 1) return;
  const bool last = world.rank() + 1 == world.size();
  const auto refused = [&](const std::vector<std::string>& words, const std::string& difference) {
    try {
      require_same_start(world, words);
      FAIL() << difference << " was passed over";
    } catch (const comm::AgreedError& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      EXPECT_THAT(error.message(), HasSubstr(fmt::format("rank {} was", world.size() - 1)));
      EXPECT_THAT(error.message(), HasSubstr(difference));
    }
  };
  using Words = std::vector<std::string>;
  refused({"--lr", last ? "2" : "1"}, "'--lr 2' there, '--lr 1' on rank 0");
  refused(last ? Words{"--lr", "1", "A=2"} : Words{"--lr", "1"}, "'A=2' there, nothing on rank 0");
  refused(last ? Words{} : Words{"--lr"}, "nothing there, '--lr' on rank 0");
}

}  // namespace
}  // namespace tenfold::train
