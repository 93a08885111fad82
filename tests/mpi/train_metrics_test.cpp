#include <gmock/gmock.h>

#include <cmath>

#include "base/error.hpp"
#include "mpi/shared_folder.hpp"
#include "store/run_reader.hpp"
#include "train/metrics.hpp"

namespace tenfold::train {
namespace {

using testing::ElementsAre;

class MetricsTest : public test::SharedFolderTest {
 protected:
  MetricsTest() : metrics_(world_) {
    for (const std::string how : {"mean", "sum", "max", "rank0"}) declare("test/" + how, how);
    declare("test/silent", "mean");
    metrics_.declare({"test/pair", "", "", "rank0", "", 2});
  }
  void declare(const std::string& name, const std::string& reduction) {
    metrics_.declare({name, "", "", reduction, ""});
  }
  template <class Body>
  void expect_bug(Body body) {
    try {
      body();
      ADD_FAILURE() << "accepted";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kBug);
    }
  }
  std::map<std::string, store::Series> written() const {
    std::vector<std::string> warnings;
    std::map<std::string, store::Series> all;
    for (store::Series& each : store::read_metrics(folder_, &warnings)) all[each.name] = each;
    EXPECT_TRUE(warnings.empty());
    return all;
  }
  Metrics metrics_;
};

// Rank r adds r + 1 samples of value 10 r: means are over samples, not over ranks.
TEST_F(MetricsTest, ReduceOverSamplesAndRanks) {
  double sum = 0;
  double count = 0;
  for (int r = 0; r < world_.size(); ++r) {
    sum += (r + 1) * 10.0 * r;
    count += r + 1;
  }
  for (const std::string name : {"test/mean", "test/sum", "test/max"}) {
    for (int k = 0; k <= world_.rank(); ++k) metrics_.add(name, 10.0 * world_.rank());
  }
  metrics_.publish(1);
  EXPECT_DOUBLE_EQ(metrics_.last("test/mean"), sum / count);
  EXPECT_DOUBLE_EQ(metrics_.last("test/sum"), sum);
  EXPECT_DOUBLE_EQ(metrics_.last("test/max"), 10.0 * (world_.size() - 1));
  EXPECT_TRUE(std::isnan(metrics_.last("test/silent")));
}

// A count that has 100 before the run, then grows by r + 1 on rank r, then stands still.
TEST_F(MetricsTest, FollowsACountByWhatItGrows) {
  double count = 100;
  metrics_.follow("test/sum", [&] { return count; });
  count += world_.rank() + 1;
  const double grown = 0.5 * world_.size() * (world_.size() + 1);
  metrics_.publish(1);
  EXPECT_EQ(metrics_.last("test/sum"), grown);
  metrics_.publish(2);
  EXPECT_EQ(metrics_.last("test/sum"), 0);
  expect_bug([&] { metrics_.follow("test/mean", [] { return 0.0; }); });
}

TEST_F(MetricsTest, DeclaresSeriesOfRankZero) {
  metrics_.declare_rank0("test/best", "s", "a time", "min");
  EXPECT_EQ(metrics_.judged("test/best", "x").better, "min");
  EXPECT_EQ(metrics_.judged("test/best", "x").reduction, "rank0");
  metrics_.declare_rank0("test/wide", "", "three", {}, 3);
  expect_bug([&] { metrics_.declare_rank0("test/wide", "", "again"); });
}

TEST_F(MetricsTest, MaximaOfNegativeNumbersAndOfOneRankOnly) {
  if (world_.rank() == world_.size() - 1) {
    for (const double value : {-5.0, -2.0, -7.0}) metrics_.add("test/max", value);
  }
  metrics_.publish(1);
  EXPECT_EQ(metrics_.last("test/max"), -2.0);
  metrics_.add("test/max", -9.0);  // the next interval has forgotten the last one
  metrics_.publish(2);
  EXPECT_EQ(metrics_.last("test/max"), -9.0);
}

TEST_F(MetricsTest, RankZeroWritesRowsWhereThereWereSamples) {
  std::filesystem::create_directories(folder_ / "metrics");
  metrics_.open(folder_ / "metrics" / "seg-0000.h5", -1, 0.0);
  for (const std::uint64_t step : {100U, 200U, 300U}) {
    if (step != 200) metrics_.add("test/mean", 1.0 + static_cast<double>(step));
    metrics_.add("test/sum", 0.5);
    metrics_.publish(step);
  }
  // Other ranks' rows are not written: they may hold other numbers.
  metrics_.row("test/rank0", 250, {world_.is_root() ? 42.0 : -1.0});
  metrics_.row("test/pair", 250, {1.5, 2.5});
  metrics_.row("test/pair", 260, {3.5, 4.5});
  metrics_.event(300, "stop", "test");
  metrics_.flush(true);
  metrics_.close();
  world_.barrier();
  if (!world_.is_root()) return;
  const auto series = written();
  EXPECT_THAT(series.at("test/mean").step, ElementsAre(100, 300));
  EXPECT_THAT(series.at("test/mean").value, ElementsAre(101, 301));
  EXPECT_THAT(series.at("test/sum").step, ElementsAre(100, 200, 300));
  EXPECT_THAT(series.at("test/sum").value, testing::Each(0.5 * world_.size()));
  EXPECT_THAT(series.at("test/rank0").value, ElementsAre(42));
  EXPECT_THAT(series.at("test/pair").value, ElementsAre(1.5, 2.5, 3.5, 4.5));
  EXPECT_TRUE(series.at("test/silent").step.empty());
  const auto events = store::read_events(folder_, nullptr);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "stop");
}

TEST_F(MetricsTest, LastIsTheLatestOfRowsAndPublished) {
  EXPECT_TRUE(std::isnan(metrics_.last("test/rank0")));
  metrics_.row("test/rank0", 1, {4.0});
  metrics_.row("test/rank0", 2, {5.0});
  EXPECT_EQ(metrics_.last("test/rank0"), 5.0);
  metrics_.add("test/mean", 1.0);
  metrics_.publish(1);
  metrics_.publish(2);  // nothing new
  EXPECT_EQ(metrics_.last("test/mean"), 1.0);
}

TEST_F(MetricsTest, UnknownAndRepeatedNamesAreBugs) {
  expect_bug([&] { metrics_.add("test/unknown", 1.0); });
  expect_bug([&] { metrics_.row("test/unknown", 1, {1.0}); });
  expect_bug([&] { declare("test/mean", "mean"); });
  EXPECT_TRUE(std::isnan(metrics_.last("test/unknown")));
}

TEST_F(MetricsTest, HeadlineKeepsItsOrder) {
  metrics_.headline({"test/sum", "test/mean"});
  EXPECT_THAT(metrics_.headline(), ElementsAre("test/sum", "test/mean"));
}

}  // namespace
}  // namespace tenfold::train
