#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>

#include "base/error.hpp"
#include "comm/fault.hpp"
#include "store/h5_file.hpp"
#include "store/metric_writer.hpp"
#include "store/run_reader.hpp"
#include "store_folder.hpp"

namespace tenfold::store {
namespace {

using base::Code;
using base::Error;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Steps = std::vector<std::uint64_t>;
using Values = std::vector<double>;

class MetricsTest : public FolderTest {
 protected:
  MetricsTest() { std::filesystem::create_directory(folder_ / "metrics"); }

  std::filesystem::path segment(int number) const {
    return folder_ / "metrics" / fmt::format("seg-{:04}.h5", number);
  }
  /// A segment of one series "loss" whose value at step s is s + offset.
  void write_segment(int number, std::int64_t resumed, const Steps& steps, double offset) const {
    MetricWriter writer(segment(number), {{"loss", "1", "", "mean", "min", 1}}, resumed);
    for (const auto step : steps) writer.append("loss", step, static_cast<double>(step) + offset);
    writer.event(steps.empty() ? 0 : steps.front(), resumed < 0 ? "start" : "resume", "here");
    writer.close();
  }
  Series only_series() {
    auto series = read_metrics(folder_, &warnings_);
    EXPECT_EQ(series.size(), 1U);
    return series.empty() ? Series{} : series.front();
  }

  std::vector<std::string> warnings_;
};

TEST_F(MetricsTest, ReadsBackWhatWasWritten) {
  {
    MetricWriter writer(segment(0), {{"train/critic_loss", "1", "TD error", "mean", "min", 1},
                                     {"eval/return", "reward", "per episode", "sum", "max", 3}});
    for (std::uint64_t step = 1; step <= 1300; ++step) {
      writer.append("train/critic_loss", step, 1.0 / static_cast<double>(step));
      if (step % 100 == 0) writer.append("eval/return", step, {1.0 * step, 2.0 * step, NAN});
      writer.flush();
    }
    writer.close();
    EXPECT_EQ(writer.rows_written(), 1313U);
  }
  const auto all = read_metrics(folder_, &warnings_);
  EXPECT_THAT(warnings_, IsEmpty());
  ASSERT_EQ(all.size(), 2U);
  const Series& returns = all[0];
  const Series& loss = all[1];
  EXPECT_EQ(returns.name, "eval/return");
  EXPECT_EQ(returns.unit, "reward");
  EXPECT_EQ(returns.better, "max");
  EXPECT_EQ(returns.columns, 3U);
  ASSERT_EQ(returns.value.size(), 39U);
  EXPECT_EQ(returns.value[36], 1300.0);
  EXPECT_EQ(returns.value[37], 2600.0);
  EXPECT_TRUE(std::isnan(returns.value[38]));
  ASSERT_EQ(loss.step.size(), 1300U);
  for (std::size_t row = 0; row < loss.step.size(); ++row) {
    ASSERT_EQ(loss.step[row], row + 1);
    ASSERT_EQ(loss.value[row], 1.0 / static_cast<double>(row + 1));
  }
  EXPECT_TRUE(std::is_sorted(loss.wall_s.begin(), loss.wall_s.end()));
  EXPECT_GT(loss.wall_s.front(), 1.6e9);
}

TEST_F(MetricsTest, FlushesByRowsAndByTime) {
  MetricWriter by_rows(segment(0), {{"a", "", "", "mean", "", 1}}, -1, 1e9);
  for (std::uint64_t step = 0; step < 99; ++step) by_rows.append("a", step, 0);
  by_rows.flush();
  EXPECT_EQ(by_rows.rows_written(), 0U);
  by_rows.append("a", 99, 0);
  by_rows.flush();
  EXPECT_EQ(by_rows.rows_written(), 100U);

  MetricWriter by_time(segment(1), {{"a", "", "", "mean", "", 1}}, -1, 0.0);
  by_time.append("a", 0, 0);
  by_time.flush();
  EXPECT_EQ(by_time.rows_written(), 1U);
}

TEST_F(MetricsTest, EventsAreCutAtWholeCharacters) {
  {
    MetricWriter writer(segment(0), {});
    writer.event(3, "checkpoint", "step-3");
    writer.event(4, "a kind that is longer than its column", std::string(254, 'x') + "\xC3\xA4z");
    writer.close();
  }
  const auto events = read_events(folder_, &warnings_);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, "checkpoint");
  EXPECT_EQ(events[0].text, "step-3");
  EXPECT_EQ(events[1].step, 4U);
  EXPECT_EQ(events[1].kind, "a kind that is ");
  EXPECT_EQ(events[1].text, std::string(254, 'x'));
}

TEST_F(MetricsTest, MisuseIsABug) {
  MetricWriter writer(segment(0), {{"a", "", "", "mean", "", 2}});
  EXPECT_THROW(writer.append("b", 0, 1.0), Error);
  EXPECT_THROW(writer.append("a", 0, 1.0), Error);
  EXPECT_NO_THROW(writer.append("a", 0, {1.0, 2.0}));
}

TEST_F(MetricsTest, NeverOverwritesASegment) {
  write_segment(0, -1, {1, 2}, 0);
  EXPECT_THROW(write_segment(0, -1, {3}, 0), Error);
  EXPECT_EQ(only_series().step, (Steps{1, 2}));
}

TEST_F(MetricsTest, AResumedRunReplacesWhatItWroteAgain) {
  write_segment(0, -1, {10, 20, 30, 40}, 0);
  write_segment(1, 20, {30, 40, 50}, 0.5);
  write_segment(2, 40, {40, 50, 60}, 0.25);  // counts its steps from before the update
  const Series series = only_series();
  EXPECT_EQ(series.step, (Steps{10, 20, 30, 40, 50, 60}));
  EXPECT_EQ(series.value, (Values{10, 20, 30.5, 40.25, 50.25, 60.25}));
  EXPECT_EQ(read_events(folder_, &warnings_).size(), 3U);
}

TEST_F(MetricsTest, ARunStartedOverReplacesEverything) {
  write_segment(0, -1, {0, 10, 20}, 0);
  write_segment(1, -1, {5}, 0);
  EXPECT_EQ(only_series().step, (Steps{5}));
}

TEST_F(MetricsTest, SegmentsSortByNumber) {
  write_segment(9999, -1, {1}, 0);
  write_segment(10000, 1, {2}, 0);
  EXPECT_EQ(only_series().step, (Steps{1, 2}));
}

TEST_F(MetricsTest, UnreadableSegmentsAreNamedAndSkipped) {
  write_segment(0, -1, {1, 2}, 0);
  write_file(segment(1), "garbage");
  write_segment(2, 2, {3}, 0);
  EXPECT_EQ(only_series().step, (Steps{1, 2, 3}));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("seg-0001.h5")));
}

TEST_F(MetricsTest, TornRowsAreCutOff) {
  write_segment(0, -1, {1, 2, 3}, 0);
  {
    const Hdf5Session session;
    const Hid file = open_file(segment(0), H5F_ACC_RDWR, serial_access(H5F_LIBVER_V110, false));
    // What a kill can leave: one column longer than the others, and a length ahead of its data.
    const hsize_t longer = 5;
    for (const char* name : {"/metrics/loss/value", "/metrics/loss/wall_s", "/metrics/loss/step"}) {
      const Hid data(H5Dopen2(file.get(), name, H5P_DEFAULT), &H5Dclose, "open", name);
      ASSERT_GE(H5Dset_extent(data.get(), &longer), 0);
    }
  }
  EXPECT_EQ(only_series().step, (Steps{1, 2, 3}));
}

TEST_F(MetricsTest, AFailedFlushKeepsTheRows) {
  MetricWriter writer(segment(0), {{"a", "", "", "mean", "", 1}}, -1, 0.0);
  writer.append("a", 1, 10);
  ::setenv("TENFOLD_FAULT", "enospc:rank=0:at=metrics.flush:n=1", 1);
  comm::configure_faults(0);
  try {
    writer.flush();
    FAIL() << "the injected failure was swallowed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIo);
    EXPECT_THAT(error.message(), HasSubstr("seg-0000.h5"));
  }
  ::unsetenv("TENFOLD_FAULT");
  comm::configure_faults(0);
  writer.append("a", 2, 20);
  writer.close();
  EXPECT_EQ(only_series().value, (Values{10, 20}));
}

TEST_F(MetricsTest, ANonRunIsRefused) {
  EXPECT_THROW(read_metrics(folder_ / "absent", nullptr), Error);
  EXPECT_THROW(MetricWriter(folder_ / "absent" / "seg-0000.h5", {}), Error);
}

}  // namespace
}  // namespace tenfold::store
