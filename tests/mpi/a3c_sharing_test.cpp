// What ranks do to parameters at the same time: which ways to apply gradients lose none.
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "a3c/sharing/shared_parameters.hpp"

namespace tenfold::a3c {
namespace {

constexpr std::int64_t kSize = 1024 + 48;  // no whole number of lines in a stripe
constexpr std::int64_t kUpdates = 400;     // of each rank

// Shared parameters of all ranks of this job.
class Shared {
 public:
  explicit Shared(UpdatePolicy policy,
                  OptimizerOptions optimizer = {OptimizerKind::kMomentum, 0, 0})
      : world_(comm::Communicator::world()),
        options_{kSize, policy, optimizer, 7},
        arena_(world_, SharedParameters::parts(options_)),
        shared_(arena_, options_, world_.rank(), world_.size()),
        own_(at::zeros({kSize}, at::kFloat)) {}

  // All ranks at once, each so often by one.
  void add_one_each_time(bool to_shared_statistics = false) {
    const at::Tensor minus_one = at::full({kSize}, -1.0F, at::kFloat);
    meet();
    for (std::int64_t i = 0; i < kUpdates; ++i) {
      shared_.apply(minus_one, 1, to_shared_statistics ? at::Tensor() : own_);
    }
    meet();
  }
  at::Tensor read() const {
    at::Tensor copy = at::empty({kSize}, at::kFloat);
    shared_.read(copy);
    return copy;
  }
  void meet() const {
    arena_.sync();
    world_.barrier();
    arena_.sync();
  }
  const SharedParameters& operator*() const { return shared_; }
  std::int64_t all() const { return kUpdates * world_.size(); }
  const comm::Communicator& world() const { return world_; }

 private:
  comm::Communicator world_;
  SharingOptions options_;
  comm::SharedArena arena_;
  SharedParameters shared_;
  at::Tensor own_;
};

class Lossless : public testing::TestWithParam<UpdatePolicy> {};

TEST_P(Lossless, EveryUpdateOfEveryRankCounts) {
  Shared shared(GetParam());
  shared.add_one_each_time();
  const at::Tensor sum = shared.read();
  for (std::int64_t i = 0; i < kSize; ++i) {
    ASSERT_EQ(sum.data_ptr<float>()[i], static_cast<float>(shared.all())) << "element " << i;
  }
  EXPECT_EQ((*shared).updates().get(), shared.all());
}

TEST_P(Lossless, DifferencesAreTakenOffAsUpdatesAre) {
  Shared shared(GetParam());
  const at::Tensor less = at::full({kSize}, -0.5F, at::kFloat);
  shared.meet();
  for (int i = 0; i < 100; ++i) (*shared).subtract(less);
  shared.meet();
  const at::Tensor sum = shared.read();
  for (std::int64_t i = 0; i < kSize; ++i) {
    ASSERT_EQ(sum.data_ptr<float>()[i], 50.0F * static_cast<float>(shared.world().size()));
  }
  EXPECT_EQ((*shared).updates().get(), 0) << "they are no updates";
}

INSTANTIATE_TEST_SUITE_P(Policies, Lossless,
                         testing::Values(UpdatePolicy::kStriped, UpdatePolicy::kAtomic,
                                         UpdatePolicy::kMutex, UpdatePolicy::kRma));

// g <- a g + (1 - a) 1 gives 1 - a^n whoever's turn it is.
TEST(Sharing, StatisticsLoseNothingEither) {
  constexpr double kAlpha = 0.998;
  for (const UpdatePolicy policy :
       {UpdatePolicy::kStriped, UpdatePolicy::kAtomic, UpdatePolicy::kMutex}) {
    Shared shared(policy, {OptimizerKind::kSharedRmsprop, kAlpha, 0.1});
    shared.add_one_each_time(true);
    const double expected = 1 - std::pow(kAlpha, static_cast<double>(shared.all()));
    const double one_lost = 1 - std::pow(kAlpha, static_cast<double>(shared.all() - 1));
    for (const float each : (*shared).statistics()) {
      ASSERT_NEAR(each, expected, (expected - one_lost) / 4);
    }
  }
}

TEST(Sharing, HogwildMayLoseSomeAndInventsNone) {
  Shared shared(UpdatePolicy::kHogwild);
  shared.add_one_each_time();
  const at::Tensor sum = shared.read();
  double lost = 0;
  for (std::int64_t i = 0; i < kSize; ++i) {
    const auto found = sum.data_ptr<float>()[i];
    ASSERT_LE(found, static_cast<float>(shared.all()));
    ASSERT_GT(found, 0);
    lost += 1 - found / static_cast<double>(shared.all());
  }
  EXPECT_EQ((*shared).updates().get(), shared.all());
  if (shared.world().size() == 1) {
    EXPECT_EQ(lost, 0);
  }
  testing::Test::RecordProperty("lost_fraction", std::to_string(lost / kSize));
}

TEST(Sharing, TheTargetNetworkIsACopy) {
  Shared shared(UpdatePolicy::kStriped);
  shared.add_one_each_time();
  if (shared.world().is_root()) (*shared).copy_target();
  shared.meet();
  EXPECT_EQ((*shared).copies().get(), 1);
  at::Tensor target = at::empty({kSize}, at::kFloat);
  (*shared).read_target(target);
  EXPECT_TRUE(target.equal(shared.read()));
  shared.add_one_each_time();
  (*shared).read_target(target);
  EXPECT_EQ(target.data_ptr<float>()[kSize - 1], static_cast<float>(shared.all()));
}

TEST(Sharing, PoliciesHaveNames) {
  EXPECT_EQ(update_policy("hogwild"), UpdatePolicy::kHogwild);
  EXPECT_EQ(update_policy("striped"), UpdatePolicy::kStriped);
  EXPECT_EQ(update_policy("atomic"), UpdatePolicy::kAtomic);
  EXPECT_EQ(update_policy("mutex"), UpdatePolicy::kMutex);
  EXPECT_EQ(update_policy("rma"), UpdatePolicy::kRma);
  EXPECT_THROW(update_policy("sync"), base::Error);
}

}  // namespace
}  // namespace tenfold::a3c
