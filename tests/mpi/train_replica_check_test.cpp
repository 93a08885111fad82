#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <optional>

#include "train/replica_check.hpp"

namespace tenfold::train {
namespace {

using comm::AgreedError;
using comm::Communicator;

struct Replica {
  Replica() : weights(1000, 0.25F), moments(50, 1.0) {
    registry.replicated("model/actor/layer0.weight", weights.data(), {20, 50});
    registry.replicated("optimizer/actor/v", moments.data(), {50});
    registry.replicated("progress/updates", &updates);
    registry.sharded<double>("env/state", {1}, [this](std::size_t) { return &own; });
  }
  std::vector<float> weights;
  std::vector<double> moments;
  std::int64_t updates = 7;
  double own = 0;
  store::StateRegistry registry;
};

std::optional<AgreedError> check(const Replica& replica) {
  try {
    check_replicas(Communicator::world(), replica.registry);
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), base::Code::kBug);
    EXPECT_EQ(Communicator::world().broadcast_text(error.what()), error.what());
    return error;
  }
  return std::nullopt;
}

class ReplicaCheck : public testing::Test {
 protected:
  // Changes the copy of one rank and expects that it is the one that is named.
  template <class Change>
  void expect_found(int culprit, const std::string& field, Change change) {
    Replica replica;
    if (world_.rank() == culprit) change(replica);
    const auto error = check(replica);
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->message(), fmt::format("'{}' on rank {} differs from rank 0", field, culprit));
    EXPECT_EQ(error->rank(), culprit);
  }
  Communicator world_ = Communicator::world();
};

TEST_F(ReplicaCheck, EqualCopiesPassWhateverTheShardsHold) {
  Replica replica;
  replica.own = world_.rank();
  replica.weights[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(check(replica).has_value());
}

TEST_F(ReplicaCheck, FindsADriftedCopyAndNamesFieldAndRank) {
  if (world_.size() == 1) GTEST_SKIP() << "needs a second rank";
  for (int culprit = 1; culprit < world_.size(); ++culprit) {
    expect_found(culprit, "model/actor/layer0.weight", [](Replica& replica) {
      float& last = replica.weights.back();  // by its lowest bit
      last = std::bit_cast<float>(std::bit_cast<std::uint32_t>(last) ^ 1U);
    });
    expect_found(culprit, "optimizer/actor/v",
                 [](Replica& replica) { replica.moments[0] += 1e-15; });
    expect_found(culprit, "progress/updates", [](Replica& replica) { ++replica.updates; });
  }
}

TEST_F(ReplicaCheck, TheLowestDriftedRankAndItsFirstFieldAreNamed) {
  if (world_.size() < 3) GTEST_SKIP() << "needs three ranks";
  Replica replica;
  if (world_.rank() >= 1) replica.updates = 8;
  if (world_.rank() == 1) replica.moments[5] = 2;
  if (world_.rank() == 2) replica.weights[0] = 2;
  const auto error = check(replica);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->message(), "'optimizer/actor/v' on rank 1 differs from rank 0");
}

// Copies on a device reach the host in these hooks.
TEST_F(ReplicaCheck, ComparesWhatTheSaveHooksBring) {
  if (world_.size() == 1) GTEST_SKIP() << "needs a second rank";
  Replica replica;
  replica.registry.on_save([&] { replica.updates = world_.rank(); });
  EXPECT_TRUE(check(replica).has_value());
}

}  // namespace
}  // namespace tenfold::train
