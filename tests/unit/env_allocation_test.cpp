// step() and reset() allocate nothing, neither by operator new nor by MuJoCo's allocator.
#include <gtest/gtest.h>
#include <mujoco/mujoco.h>

#include <cstdlib>

#include "counted_new.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

extern "C" void* counted_malloc(std::size_t bytes) {
  ++test::allocations;
  return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
}

class Allocation : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { mju_user_malloc = counted_malloc; }
  void TearDown() override { mju_user_malloc = nullptr; }
};

TEST_P(Allocation, NoneInStepAndReset) {
  test::allocations = 0;
  const auto env = make_env(GetParam(), 4, {.terminate_on_fall = false});
  EXPECT_GT(test::allocations, 0U) << "the counter works";
  const std::vector<float> actions(4 * env->spec().action_size, 0.5F);
  start_all(*env, 1);
  test::allocations = 0;
  for (int decision = 0; decision < 100; ++decision) env->step(actions);
  EXPECT_EQ(test::allocations, 0U) << "step";
  start_all(*env, 2);
  EXPECT_EQ(test::allocations, 0U) << "reset";
}

INSTANTIATE_TEST_SUITE_P(Tasks, Allocation, testing::ValuesIn(task_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace tenfold::env
