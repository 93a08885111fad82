// Sums over the shards of all ranks against a naive sum of the same shards on each rank alone:
// equal to it in every bit, hence equal on every number of ranks.
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "train/gradient_reducer.hpp"

namespace tenfold::train {
namespace {

using comm::Communicator;

constexpr std::int64_t kShards = 12;  // 1, 2, 3 and 4 ranks divide it
// Fewer elements than ranks, and slices of unequal length; one reducer meets all.
constexpr std::int64_t kSizes[] = {1003, 1, 5, 2, 1003};

// What shard s holds, over six decades, so that the order of additions matters.
template <class T>
std::vector<T> shard_values(std::size_t shard, std::int64_t size) {
  base::Stream stream(5, base::Purpose::kTest, static_cast<std::uint32_t>(shard),
                      static_cast<std::uint64_t>(size));
  std::vector<T> values;
  for (std::int64_t i = 0; i < size; ++i) {
    values.push_back(static_cast<T>(stream.normal() * std::pow(10.0, stream.uniform(-3, 3))));
  }
  return values;
}

template <class T>
std::vector<std::vector<T>> all_shards(std::int64_t size) {
  std::vector<std::vector<T>> all;
  for (std::size_t s = 0; s < kShards; ++s) all.push_back(shard_values<T>(s, size));
  return all;
}

template <class T>
std::vector<T> ordered_sum(const std::vector<std::vector<T>>& shards) {
  std::vector<T> total = shards.front();
  for (std::size_t s = 1; s < shards.size(); ++s) {
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += shards[s][i];
  }
  return total;
}

// Integers of the finest unit in which no sum of all shards can leave 64 bits.
std::vector<float> fixed_sum(const std::vector<std::vector<float>>& shards) {
  float largest = 0;
  for (const auto& shard : shards) {
    for (const float value : shard) largest = std::max(largest, std::abs(value));
  }
  int exponent = 62;
  while (std::nearbyint(std::ldexp(static_cast<long double>(largest), exponent)) * kShards >
         static_cast<long double>(std::numeric_limits<std::int64_t>::max())) {
    --exponent;
  }
  std::vector<float> total;
  for (std::size_t i = 0; i < shards.front().size(); ++i) {
    std::int64_t sum = 0;
    for (const auto& shard : shards) sum += std::llrint(std::ldexp(double{shard[i]}, exponent));
    total.push_back(static_cast<float>(std::ldexp(static_cast<double>(sum), -exponent)));
  }
  return total;
}

class Reducing {
 public:
  explicit Reducing(ReduceMode mode)
      : plan_(make_shard_plan(kShards, Communicator::world().size(), Communicator::world().rank())),
        reducer_(Communicator::world(), plan_, mode) {}

  GradientReducer& reducer() { return reducer_; }
  // This rank's rows: one per shard, or their sum where the mode works on one block.
  template <class T>
  at::Tensor rows(std::int64_t size) const {
    const at::ScalarType type = sizeof(T) == 4 ? at::kFloat : at::kDouble;
    const at::Tensor rows = at::zeros({reducer_.groups(), size}, type);
    for (std::size_t k = 0; k < plan_.local(); ++k) {
      const std::vector<T> values = shard_values<T>(plan_.mine[k], size);
      T* out =
          rows.data_ptr<T>() + (reducer_.groups() == 1 ? 0 : static_cast<std::int64_t>(k) * size);
      for (const T value : values) *out++ += value;
    }
    return rows;
  }
  std::vector<float> sum(std::int64_t size) {
    const at::Tensor total = at::empty({size}, at::kFloat).fill_(NAN);
    reducer_.sum(rows<float>(size), total, nullptr, "test");
    return {total.data_ptr<float>(), total.data_ptr<float>() + size};
  }
  std::vector<double> statistics(std::int64_t size) {
    const at::Tensor total = at::empty({size}, at::kDouble).fill_(NAN);
    reducer_.sum_statistics(rows<double>(size), total);
    return {total.data_ptr<double>(), total.data_ptr<double>() + size};
  }

 private:
  ShardPlan plan_;
  GradientReducer reducer_;
};

// |error| of summing n terms in any order is below n eps sum |terms|.
template <class T>
void expect_near_exact(const std::vector<T>& ours, const std::vector<std::vector<T>>& shards) {
  for (std::size_t i = 0; i < ours.size(); ++i) {
    long double exact = 0;
    long double magnitude = 0;
    for (const auto& shard : shards) {
      exact += shard[i];
      magnitude += std::abs(shard[i]);
    }
    EXPECT_LE(std::abs(ours[i] - exact), kShards * std::numeric_limits<T>::epsilon() * magnitude);
  }
}

TEST(GradientReducer, OrderedEqualsTheNaiveSumInEveryBit) {
  Reducing reducing(ReduceMode::kOrdered);
  for (const std::int64_t size : kSizes) {
    EXPECT_EQ(reducing.sum(size), ordered_sum(all_shards<float>(size))) << size;
  }
}

TEST(GradientReducer, FixedEqualsTheNaiveSumOfIntegersInEveryBit) {
  Reducing reducing(ReduceMode::kFixed);
  for (const std::int64_t size : kSizes) {
    EXPECT_EQ(reducing.sum(size), fixed_sum(all_shards<float>(size))) << size;
  }
}

TEST(GradientReducer, FastIsTheSumUpToRounding) {
  Reducing reducing(ReduceMode::kFast);
  for (const std::int64_t size : kSizes)
    expect_near_exact(reducing.sum(size), all_shards<float>(size));
}

TEST(GradientReducer, FixedOfZerosIsZero) {
  Reducing reducing(ReduceMode::kFixed);
  const at::Tensor total = at::empty({7}, at::kFloat).fill_(1);
  reducing.reducer().sum(at::zeros({reducing.reducer().groups(), 7}), total, nullptr, "test");
  for (int i = 0; i < 7; ++i) EXPECT_EQ(total.data_ptr<float>()[i], 0.0F);
}

TEST(GradientReducer, StatisticsAreSummedInShardOrder) {
  for (const ReduceMode mode : {ReduceMode::kOrdered, ReduceMode::kFixed}) {
    Reducing reducing(mode);
    for (const std::int64_t size : kSizes) {
      EXPECT_EQ(reducing.statistics(size), ordered_sum(all_shards<double>(size))) << size;
    }
  }
  Reducing fast(ReduceMode::kFast);
  for (const std::int64_t size : kSizes) {
    expect_near_exact(fast.statistics(size), all_shards<double>(size));
  }
}

TEST(GradientReducer, TheCallbackSumsStatistics) {
  Reducing reducing(ReduceMode::kOrdered);
  const at::Tensor total = at::zeros({5}, at::kDouble);
  reducing.reducer().statistics_callback()(reducing.rows<double>(5), total);
  const std::vector<double> expected = ordered_sum(all_shards<double>(5));
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(total.data_ptr<double>()[i], expected[i]);
}

TEST(GradientReducer, FastWorksOnOneBlockTheOthersOnShards) {
  const std::int64_t local = kShards / Communicator::world().size();
  EXPECT_EQ(Reducing(ReduceMode::kFast).reducer().groups(), 1);
  EXPECT_EQ(Reducing(ReduceMode::kFast).reducer().rows_per_group(8), 8 * local);
  for (const ReduceMode mode : {ReduceMode::kOrdered, ReduceMode::kFixed}) {
    EXPECT_EQ(Reducing(mode).reducer().groups(), local);
    EXPECT_EQ(Reducing(mode).reducer().rows_per_group(8), 8);
    EXPECT_EQ(Reducing(mode).reducer().mode(), mode);
  }
}

TEST(GradientReducer, SecondsAreHandedOutOnce) {
  Reducing reducing(ReduceMode::kFast);
  reducing.sum(1003);
  EXPECT_GE(reducing.reducer().take_seconds(), 0.0);
  EXPECT_EQ(reducing.reducer().take_seconds(), 0.0);
}

TEST(GradientReducer, WrongShapesAreBugs) {
  Reducing reducing(ReduceMode::kOrdered);
  GradientReducer& reducer = reducing.reducer();
  const std::int64_t groups = reducer.groups();
  const at::Tensor total = at::zeros({6});
  EXPECT_THROW(reducer.sum(at::zeros({groups + 1, 6}), total, nullptr, "test"), base::Error);
  EXPECT_THROW(reducer.sum(at::zeros({groups, 5}), total, nullptr, "test"), base::Error);
  EXPECT_THROW(reducer.sum(at::zeros({6, groups}).t(), total, nullptr, "test"), base::Error);
  EXPECT_THROW(reducer.sum_statistics(at::zeros({groups, 5}, at::kDouble), total), base::Error);
}

TEST(ReduceMode, ComesFromAWord) {
  EXPECT_EQ(reduce_mode("fast"), ReduceMode::kFast);
  EXPECT_EQ(reduce_mode("ordered"), ReduceMode::kOrdered);
  EXPECT_EQ(reduce_mode("fixed"), ReduceMode::kFixed);
  try {
    reduce_mode("quick");
    ADD_FAILURE() << "accepted";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_EQ(error.message(), "parallel.reduce: 'quick' is not fast, ordered or fixed");
  }
}

}  // namespace
}  // namespace tenfold::train
