// Parameters that ranks share: the arithmetic of one rank, and what several cannot lose.
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/philox.hpp"
#include "kernels/flat_optimizer.hpp"
#include "train/shared_tensors.hpp"

namespace tenfold::train {
namespace {

using comm::Communicator;

constexpr std::int64_t kLength = 1003;

at::Tensor random(std::uint64_t step, double scale = 1) {
  base::Stream stream(3, base::Purpose::kTest, 0, step);
  at::Tensor values = at::zeros({kLength}, at::kFloat);
  for (std::int64_t i = 0; i < kLength; ++i) {
    values.data_ptr<float>()[i] = static_cast<float>(stream.uniform(-scale, scale));
  }
  return values;
}

TEST(SharedAdam, OneRankAloneTakesTheStepsOfTheKernel) {
  const comm::SharedArena arena(Communicator::self(), SharedAdam::parts("net", kLength));
  SharedAdam shared(arena, "net");
  const at::Tensor expected = random(0), m = at::zeros({kLength}), v = at::zeros({kLength});
  const at::Tensor copy = at::zeros({kLength}), l2 = at::full({kLength}, 0.01);
  shared.set(expected, m, v, 4);
  for (std::int64_t step = 5; step < 12; ++step) {
    const at::Tensor gradient = random(static_cast<std::uint64_t>(step), 0.1);
    const at::Tensor decay = step % 2 == 0 ? l2 : at::Tensor();
    kernels::adam_step(expected, gradient, m, v, decay, step, {.lr = 1e-2});
    EXPECT_EQ(shared.step(gradient, decay, 1e-2, copy), step);
    ASSERT_TRUE(at::equal(copy, expected)) << "step " << step;
  }
  const at::Tensor parameters = at::zeros({kLength}), first = at::zeros({kLength}),
                   second = at::zeros({kLength});
  shared.get(parameters, first, second);
  EXPECT_TRUE(at::equal(parameters, expected));
  EXPECT_TRUE(at::equal(first, m));
  EXPECT_TRUE(at::equal(second, v));
  EXPECT_EQ(shared.skip(), 12);
  EXPECT_EQ(shared.steps(), 12);
}

TEST(SharedAdam, RanksThatTakeTurnsMakeTheStepsOfOne) {
  const Communicator world = Communicator::world();
  const comm::SharedArena arena(world, SharedAdam::parts("net", kLength));
  SharedAdam shared(arena, "net");
  const at::Tensor expected = random(0), m = at::zeros({kLength}), v = at::zeros({kLength});
  const at::Tensor copy = at::zeros({kLength});
  if (world.is_root()) shared.set(expected, m, v, 0);
  for (int turn = 0; turn < 3 * world.size(); ++turn) {
    world.barrier();
    const at::Tensor gradient = random(static_cast<std::uint64_t>(turn + 1), 0.1);
    kernels::adam_step(expected, gradient, m, v, {}, turn + 1, {.lr = 1e-2});
    if (turn % world.size() == world.rank()) {
      shared.step(gradient, {}, 1e-2, copy);
      EXPECT_TRUE(at::equal(copy, expected));
    }
    world.barrier();
    shared.get_parameters(copy);
    EXPECT_TRUE(at::equal(copy, expected));
  }
}

// All at once: every step is counted, and what is lost is single elements of single steps.
TEST(SharedAdam, RanksAtOnceLoseNoStepAndTearNoNumber) {
  const Communicator world = Communicator::world();
  constexpr int kSteps = 200;
  const comm::SharedArena arena(world, SharedAdam::parts("net", kLength));
  SharedAdam shared(arena, "net");
  const at::Tensor zero = at::zeros({kLength}), copy = at::zeros({kLength});
  if (world.is_root()) shared.set(zero, zero, zero, 0);
  world.barrier();
  // Gradient 1 everywhere: without rivals each step moves each parameter by -lr (Kingma & Ba 2015).
  const at::Tensor gradient = at::full({kLength}, 1.0);
  for (int step = 0; step < kSteps; ++step) shared.step(gradient, {}, 1e-3, copy);
  world.barrier();
  EXPECT_EQ(shared.steps(), kSteps * world.size());
  shared.get_parameters(copy);
  double sum = 0;
  for (std::int64_t i = 0; i < kLength; ++i) {
    const double moved = -copy.data_ptr<float>()[i] / 1e-3;
    EXPECT_GT(moved, 0);
    EXPECT_LT(moved, 1.1 * kSteps * world.size());
    sum += moved;
  }
  const double kept = sum / static_cast<double>(kLength) / (kSteps * world.size());
  // Rivals stretch the bias correction too; a machine with fewer cores than ranks loses more.
  EXPECT_GT(kept, 0.5);
  world.barrier();
}

TEST(SharedCopy, FollowsAsPolyakDoesAndAddsWhatChanged) {
  const comm::SharedArena arena(Communicator::self(),
                                {{"target", sizeof(float) * kLength}, {"sum", sizeof(float) * 2}});
  const at::Tensor own = random(1), expected = own.clone(), source = random(2);
  SharedCopy copy(arena.part<float>("target"), own);
  copy.set();
  kernels::polyak(expected, source, 0.005);
  copy.follow(source, 0.005);
  copy.get();
  EXPECT_TRUE(at::equal(own, expected));
  copy.follow(source, 1.0);
  copy.get();
  EXPECT_TRUE(at::equal(own, source));

  const at::Tensor mine = at::zeros({2}), others = at::zeros({2});
  SharedCopy first(arena.part<float>("sum"), mine), second(arena.part<float>("sum"), others);
  first.get();
  second.get();
  mine.fill_(0.1F);
  first.add_change();
  EXPECT_EQ(arena.part<float>("sum")[0], 0.1F) << "nobody else wrote: exactly that";
  others.fill_(2);
  second.add_change();
  EXPECT_EQ(arena.part<float>("sum")[1], 0.1F + 2) << "both changes count";
}

}  // namespace
}  // namespace tenfold::train
