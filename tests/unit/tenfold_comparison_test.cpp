#include <gmock/gmock.h>

#include "tenfold/comparison.hpp"

namespace tenfold::tool {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

store::Series series(const std::string& name, std::vector<std::uint64_t> step,
                     std::vector<double> value, const std::string& unit = "reward") {
  store::Series made;
  made.name = name;
  made.unit = unit;
  made.columns = value.size() / step.size();
  made.wall_s.assign(step.size(), 0);
  made.step = std::move(step);
  made.value = std::move(value);
  return made;
}

TEST(CompareSeries, MeetsRowsByStepAndTheirNumberWithinIt) {
  const auto a = series("x", {0, 0, 10, 20}, {1, 2, 3, 4});
  const auto b = series("x", {0, 0, 20, 30}, {1, 2.5, 5, 6});
  const SeriesComparison found = compare_series(a, b, 0);
  EXPECT_EQ(found.common, 3U);
  EXPECT_EQ(found.differing, 2U);
  EXPECT_EQ(found.first_step, 0U);
  EXPECT_EQ(found.values.max_abs, 1.0);
  EXPECT_EQ(found.values.max_relative, 0.2);
}

TEST(CompareSeries, ToleranceIsRelative) {
  const auto a = series("x", {0, 1}, {1000, 1}), b = series("x", {0, 1}, {1000.5, 1});
  EXPECT_EQ(compare_series(a, b, 1e-3).differing, 0U);
  EXPECT_EQ(compare_series(a, b, 1e-4).differing, 1U);
  EXPECT_EQ(compare_series(a, b, 1e-4).first_step, 0U);
}

TEST(CompareSeries, AllColumnsOfARow) {
  const auto a = series("x", {0, 1}, {1, 2, 3, 4}), b = series("x", {0, 1}, {1, 2, 3, 5});
  EXPECT_EQ(compare_series(a, b, 0).differing, 1U);
  EXPECT_EQ(compare_series(a, b, 0).first_step, 1U);
}

TEST(CompareMetrics, TimesOfTheMachineNeverCount) {
  const auto found =
      compare_metrics({series("perf/x", {0}, {1}), series("eval/y", {0}, {1}, "s")},
                      {series("perf/x", {0}, {2}), series("eval/y", {0}, {2}, "s")}, 0);
  EXPECT_FALSE(found.differs);
  EXPECT_THAT(found.text, HasSubstr("not compared: perf/x, eval/y"));
}

TEST(CompareMetrics, NamesWhatOnlyOneHasAndWhatDiffers) {
  const auto found = compare_metrics({series("a", {5, 6}, {1, 2}), series("left", {0}, {1})},
                                     {series("a", {5, 6}, {1, 3}), series("right", {0}, {1})}, 0);
  EXPECT_TRUE(found.differs);
  EXPECT_THAT(found.text, HasSubstr("only in A: left"));
  EXPECT_THAT(found.text, HasSubstr("only in B: right"));
  EXPECT_THAT(found.text, HasSubstr("a          2       1          6        1   0.3333"));
  EXPECT_FALSE(compare_metrics({series("left", {0}, {1})}, {}, 0).differs);
}

TEST(AffectsResults, AsTheCheckpointSaysElseByGroup) {
  EXPECT_TRUE(affects_results("learning.tau", {"learning.tau"}));
  EXPECT_FALSE(affects_results("metrics.every", {"learning.tau"}));
  EXPECT_TRUE(affects_results("run.seed", {}));
  EXPECT_TRUE(affects_results("learning.tau", {}));
  for (const char* key : {"run.dir", "checkpoint.every", "metrics.every", "debug.watchdog"}) {
    EXPECT_FALSE(affects_results(key, {})) << key;
  }
}

TEST(CompareOptions, OnlyThoseThatResultsDependOnCount) {
  const std::vector<ConfigValue> a = {{"run.dir", "a", ""}, {"run.seed", "1", ""}};
  std::vector<ConfigValue> b = {{"run.dir", "b", ""}, {"run.seed", "1", ""}};
  EXPECT_FALSE(compare_options(a, b, {}).differs);
  EXPECT_THAT(compare_options(a, b, {}).text, Not(HasSubstr("results depend")));
  b[1].value = "2";
  EXPECT_TRUE(compare_options(a, b, {}).differs);
  EXPECT_THAT(compare_options(a, b, {}).text, HasSubstr("run.seed  1  2  <- results depend on it"));
  b.push_back({"explore.new", "x", ""});
  EXPECT_THAT(compare_options(a, b, {}).text, HasSubstr("(absent)"));
}

TEST(CompareFacts, AnotherMachineIsNoOtherResult) {
  EXPECT_FALSE(compare_facts({{"app", "ddpg"}, {"hosts", "x"}, {"run_id", "1"}},
                             {{"app", "ddpg"}, {"hosts", "y"}, {"run_id", "2"}})
                   .differs);
  const auto found = compare_facts({{"app", "ddpg"}}, {{"app", "a3c"}});
  EXPECT_TRUE(found.differs);
  EXPECT_THAT(found.text, HasSubstr("ddpg  a3c"));
}

}  // namespace
}  // namespace tenfold::tool
