#include <gtest/gtest.h>

#include "tenfold/run_overview.hpp"

namespace tenfold::tool {
namespace {

store::Series series(const std::string& name, const std::string& better, std::uint64_t columns = 1,
                     std::size_t rows = 1) {
  store::Series made;
  made.name = name;
  made.better = better;
  made.columns = columns;
  made.step.assign(rows, 0);
  made.wall_s.assign(rows, 0);
  made.value.assign(rows * columns, 0);
  return made;
}

std::string headline_of(std::vector<store::Series> all) {
  RunOverview run;
  run.series = std::move(all);
  const store::Series* found = run.headline();
  return found == nullptr ? "" : found->name;
}

TEST(Headline, AnEvaluationWithADirectionBeforeTraining) {
  EXPECT_EQ(headline_of({series("train/loss", "min"), series("eval/accuracy", "max"),
                         series("eval/return", "max"), series("perf/seconds", "min")}),
            "eval/return");
  EXPECT_EQ(headline_of({series("perf/seconds", "min"), series("train/loss", "min")}),
            "train/loss");
  EXPECT_EQ(headline_of({series("eval/any_right", "max"), series("eval/search_accuracy", "max")}),
            "eval/search_accuracy");
  EXPECT_EQ(headline_of({series("checkpoint/seconds", "min")}), "");
}

TEST(Headline, NeedsADirectionOneColumnAndARow) {
  EXPECT_EQ(headline_of({series("eval/return", ""), series("eval/score", "max", 2),
                         series("eval/loss", "min", 1, 0)}),
            "");
}

TEST(Progress, TotalFromWhateverGroupItIsIn) {
  RunOverview run;
  run.series = {series("eval/return", "max")};
  run.series[0].step = {1200};
  EXPECT_EQ(progress_text(run), "1200");
  run.config = {{"train.total-steps", "5000", "default"}};
  EXPECT_EQ(progress_text(run), "1200 of 5000");
  run.config = {{"train.total-steps", "many", "default"}};
  EXPECT_EQ(progress_text(run), "1200");
  run.events = {{1300, 5.0, "stop", ""}};
  EXPECT_EQ(run.last_step(), 1300U);
  EXPECT_EQ(run.last_time(), 5.0);
}

TEST(Column, OfRowsOfSeveral) {
  store::Series pairs = series("eval/q_vs_return", "", 2, 3);
  pairs.value = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(column(pairs), (std::vector<double>{1, 3, 5}));
  EXPECT_EQ(column(pairs, 1), (std::vector<double>{2, 4, 6}));
}

TEST(State, EveryOneHasANameAndAMeaning) {
  for (const auto state : {RunState::kRunning, RunState::kFinished, RunState::kStopped,
                           RunState::kKilled, RunState::kUnknown}) {
    EXPECT_FALSE(state_name(state).empty());
    EXPECT_FALSE(state_meaning(state).empty());
  }
}

}  // namespace
}  // namespace tenfold::tool
