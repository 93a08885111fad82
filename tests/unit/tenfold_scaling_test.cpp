#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/error.hpp"
#include "tenfold/scaling_model.hpp"
#include "tenfold/simulate_input.hpp"

namespace tenfold::tool {
namespace {

// 5 us and 40 GB/s between nodes of 8 with 2.5 us and 250 GB/s; adding at 1.5 TB/s.
const Network kCluster{{5e-6, 1 / 40e9}, 1 / 1.5e12, 8, {2.5e-6, 1 / 250e9}};

struct Row {
  double bytes;
  std::uint64_t ranks;
  const char *ring, *rabenseifner, *two_level;  ///< ms, as printed
};

// The engineering notes' table of closed forms (section e). Its two-level column leaves out the
// adding inside of nodes when there are several.
constexpr Row kTable[] = {
    {1048576, 8, "0.12", "0.08", "0.04"},  {1048576, 64, "0.68", "0.11", "0.12"},
    {1048576, 512, "5.2", "0.14", "0.68"}, {1048576, 4096, "41", "0.17", "5.2"},
    {26214400, 8, "1.2", "1.2", "0.23"},   {26214400, 64, "1.9", "1.4", "0.43"},
    {26214400, 512, "6.4", "1.4", "1.0"},  {26214400, 4096, "42", "1.4", "5.5"},
    {1e8, 8, "4.5", "4.5", "0.79"},        {1e8, 64, "5.6", "5.0", "1.4"},
    {1e8, 512, "10", "5.1", "2.0"},        {1e8, 4096, "46", "5.2", "6.5"},
    {14e9, 8, "621", "621", "106"},        {14e9, 64, "699", "698", "176"},
    {14e9, 512, "713", "708", "186"},      {14e9, 4096, "750", "709", "192"},
};

/// Half a unit of the last digit that is printed.
double rounding(const std::string& text) {
  const auto point = text.find('.');
  const std::size_t decimals = point == std::string::npos ? 0 : text.size() - point - 1;
  return 0.5001 * std::pow(10.0, -static_cast<double>(decimals));
}

void expect_printed(double seconds, const std::string& text) {
  EXPECT_NEAR(1e3 * seconds, std::stod(text), rounding(text));
}

TEST(ScalingModel, IsTheTableOfClosedForms) {
  for (const Row& row : kTable) {
    SCOPED_TRACE(std::to_string(row.bytes) + " bytes, " + std::to_string(row.ranks) + " ranks");
    expect_printed(ring_seconds(kCluster, row.bytes, row.ranks), row.ring);
    expect_printed(rabenseifner_seconds(kCluster, row.bytes, row.ranks), row.rabenseifner);
    const double inside = row.ranks > 8 ? 7.0 / 8 * row.bytes / 1.5e12 : 0;
    expect_printed(two_level_seconds(kCluster, row.bytes, row.ranks) - inside, row.two_level);
  }
}

TEST(ScalingModel, ByHand) {
  const Network net{{1e-6, 1e-9}, 5e-10, 1, {}};
  // Two rounds of 1 us + 1 ms + 0.5 ms.
  EXPECT_NEAR(recursive_doubling_seconds(net, 1e6, 4), 3.002e-3, 1e-12);
  EXPECT_NEAR(recursive_doubling_seconds(net, 1e6, 3), 3.002e-3, 1e-12);
  // Six messages, 1.5 of the bytes sent, 0.75 of them added.
  EXPECT_NEAR(ring_seconds(net, 1e6, 4), 6e-6 + 1.5e-3 + 0.375e-3, 1e-12);
  // 4 shards' halves to the other rank, then half of the sum; 4 rows of half the length added by
  // each of 2 shards' owners: 8 rows of n/2.
  EXPECT_NEAR(ordered_seconds(net, 1e6, 2, 4), 2e-6 + 2.5e-3 + 4 * 0.5e-3, 1e-12);
  EXPECT_EQ(ordered_bytes(1e6, 2, 4), 2.5e6);
  EXPECT_EQ(ring_bytes(1e6, 2), 1e6);
  EXPECT_EQ(zero1_seconds(net, 1e6, 4), ring_seconds(net, 1e6, 4));
}

TEST(ScalingModel, OneRankCostsNothing) {
  for (const auto each : {Algorithm::kRing, Algorithm::kRabenseifner, Algorithm::kRecursiveDoubling,
                          Algorithm::kTwoLevel, Algorithm::kOrdered, Algorithm::kZero1}) {
    EXPECT_EQ(sum_seconds(each, kCluster, 1e9, 1, 8), 0) << algorithm_name(each);
  }
}

TEST(ScalingModel, WhereARingsLatencyIsATenthOfItsBandwidth) {
  // 122 MiB on 64 ranks, 7.6 GiB on 4096: section e of the notes.
  const Network slow{{5e-6, 1 / 40e9}, 0, 1, {}};
  for (const auto& [ranks, mib] : {std::pair{64U, 122.07}, {4096U, 7812.5}}) {
    const double bandwidth =
        ring_seconds(slow, mib * 1048576, ranks) - ring_seconds(slow, 0, ranks);
    EXPECT_NEAR(ring_seconds(slow, 0, ranks) / bandwidth, 0.1, 1e-4);
  }
}

TEST(ScalingModel, MemoryOfZero) {
  EXPECT_EQ(replicated_memory(7e9), 112e9);
  EXPECT_NEAR(zero1_memory(7e9, 8, true), 38.5e9, 1);
  EXPECT_NEAR(zero1_memory(7e9, 64, true), 29.3125e9, 1);
  EXPECT_EQ(zero1_memory(7e9, 1, false), 112e9);
  EXPECT_EQ(zero1_memory(1e6, 2, false), 12e6);
}

TEST(ScalingModel, CheckpointsByYoung) {
  const double interval = checkpoint_interval(30, 6 * 3600);
  EXPECT_NEAR(interval / 60, 18.97, 0.01);
  EXPECT_NEAR(lost_share(30, 6 * 3600, interval), 0.0527, 1e-4);
  EXPECT_NEAR(lost_share(5, 6 * 3600, checkpoint_interval(5, 6 * 3600)), 0.0215, 1e-4);
  // It is the least: both sides of it cost more.
  for (const double factor : {0.9, 1.1}) {
    EXPECT_GT(lost_share(30, 21600, factor * interval), lost_share(30, 21600, interval));
  }
}

TEST(ScalingModel, StepSumsAllMessagesAndSyncs) {
  Workload work;
  work.messages = {1e6, 2e6};
  work.syncs = 3;
  const Network net{{1e-6, 1e-9}, 0, 1, {}};
  EXPECT_NEAR(communication_seconds(Algorithm::kRing, net, work, 2),
              2 * 2e-6 + 1e-3 + 2e-3 + 3 * 1e-6, 1e-12);
  // Latency dominates a small message: fewest rounds; bandwidth a large one: fewest bytes.
  work.messages = {8};
  EXPECT_EQ(fastest(net, work, 64), Algorithm::kRecursiveDoubling);
  work.messages = {1e9};
  EXPECT_EQ(fastest(net, work, 64), Algorithm::kRabenseifner);
}

TEST(SimulateInput, QuantitiesWithUnits) {
  EXPECT_DOUBLE_EQ(parse_seconds("x", "5us"), 5e-6);
  EXPECT_DOUBLE_EQ(parse_seconds("x", "2.5e-6"), 2.5e-6);
  EXPECT_DOUBLE_EQ(parse_seconds("x", "6h"), 21600);
  EXPECT_DOUBLE_EQ(parse_seconds_per_byte("x", "40GB/s"), 2.5e-11);
  EXPECT_DOUBLE_EQ(parse_seconds_per_byte("x", "2.5e-11"), 2.5e-11);
  for (const char* bad : {"", "us", "-1us", "5 us", "5furlongs", "nan", "inf"}) {
    EXPECT_THROW(parse_seconds("x", bad), base::Error) << bad;
  }
  for (const char* bad : {"", "0GB/s", "40GB", "-4MB/s"}) {
    EXPECT_THROW(parse_seconds_per_byte("x", bad), base::Error) << bad;
  }
}

TEST(SimulateInput, QuantilesLieBetweenNeighbours) {
  EXPECT_EQ(quantile_of({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile_of({4, 1, 2, 3}, 0.5), 2.5);
  EXPECT_EQ(quantile_of({10, 20}, 0), 10);
  EXPECT_EQ(quantile_of({10, 20}, 1), 20);
  EXPECT_DOUBLE_EQ(quantile_of({10, 20, 30}, 0.05), 11);
}

TEST(SimulateInput, RanksAndNetworks) {
  EXPECT_EQ(parse_ranks("1..16"), (std::vector<std::uint64_t>{1, 2, 4, 8, 16}));
  EXPECT_EQ(parse_ranks("3,1"), (std::vector<std::uint64_t>{3, 1}));
  for (const char* bad : {"", "0", "8..4", "a", "1..", "-2"}) {
    EXPECT_THROW(parse_ranks(bad), base::Error) << bad;
  }
  Network net;
  parse_net("1us,10GB/s,100GB/s", &net);
  EXPECT_DOUBLE_EQ(net.seconds_per_reduced, 1e-11);
  parse_node("4,1us,20GB/s", &net);
  EXPECT_EQ(net.ranks_per_node, 4U);
  EXPECT_DOUBLE_EQ(net.inside.seconds_per_byte, 5e-11);
  EXPECT_THROW(parse_net("1us", &net), base::Error);
  EXPECT_THROW(parse_node("4,1us", &net), base::Error);
}

}  // namespace
}  // namespace tenfold::tool
