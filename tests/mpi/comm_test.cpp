// Every collective on every element type, against numbers that follow from rank and size alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "comm/communicator.hpp"

namespace tenfold::comm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <class T>
class CollectiveTest : public testing::Test {
 protected:
  static T from(int value) { return static_cast<T>(value); }
  const Communicator world_ = Communicator::world();
  const int rank_ = world_.rank();
  const int size_ = world_.size();
};

using Numbers =
    testing::Types<float, double, std::int32_t, std::int64_t, std::uint32_t, std::uint64_t>;
TYPED_TEST_SUITE(CollectiveTest, Numbers);

TYPED_TEST(CollectiveTest, BroadcastFromEachRoot) {
  using T = TypeParam;
  for (int root = 0; root < this->size_; ++root) {
    std::vector<T> values(3, this->from(0));
    if (this->rank_ == root) values = {this->from(root + 1), this->from(7), this->from(100)};
    this->world_.broadcast(std::span<T>(values), root);
    EXPECT_THAT(values, ElementsAre(this->from(root + 1), this->from(7), this->from(100)));
  }
}

TYPED_TEST(CollectiveTest, SumMinMax) {
  using T = TypeParam;
  const int n = this->size_;
  std::vector<T> sums = {this->from(this->rank_ + 1), this->from(10)};
  this->world_.all_reduce(std::span<T>(sums), Op::kSum);
  EXPECT_THAT(sums, ElementsAre(this->from(n * (n + 1) / 2), this->from(10 * n)));
  EXPECT_EQ(this->world_.all_reduce(this->from(this->rank_ + 5), Op::kMin), this->from(5));
  EXPECT_EQ(this->world_.all_reduce(this->from(this->rank_ + 5), Op::kMax), this->from(n + 4));
}

TYPED_TEST(CollectiveTest, GatherInRankOrder) {
  using T = TypeParam;
  const std::vector<T> mine = {this->from(2 * this->rank_), this->from(2 * this->rank_ + 1)};
  std::vector<T> all(2 * static_cast<std::size_t>(this->size_));
  this->world_.all_gather(std::span<const T>(mine), std::span<T>(all));
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<T>(i));
}

// Rank s sends d + 1 values 10 s + d to rank d.
TYPED_TEST(CollectiveTest, AllToAllWithUnequalParts) {
  using T = TypeParam;
  std::vector<int> send_counts, receive_counts;
  std::vector<T> send, expected;
  for (int other = 0; other < this->size_; ++other) {
    send_counts.push_back(other + 1);
    send.insert(send.end(), static_cast<std::size_t>(other + 1),
                this->from(10 * this->rank_ + other));
    receive_counts.push_back(this->rank_ + 1);
    expected.insert(expected.end(), static_cast<std::size_t>(this->rank_ + 1),
                    this->from(10 * other + this->rank_));
  }
  std::vector<T> receive(expected.size());
  this->world_.all_to_all(std::span<const T>(send), std::span<const int>(send_counts),
                          std::span<T>(receive), std::span<const int>(receive_counts));
  EXPECT_EQ(receive, expected);
}

// Rank r gives r values, so rank 0 gives none.
TYPED_TEST(CollectiveTest, GatherUnequalParts) {
  using T = TypeParam;
  std::vector<int> counts(static_cast<std::size_t>(this->size_));
  std::iota(counts.begin(), counts.end(), 0);
  std::vector<T> expected;
  for (int r = 0; r < this->size_; ++r) {
    expected.insert(expected.end(), static_cast<std::size_t>(r), this->from(r));
  }
  const std::vector<T> mine(static_cast<std::size_t>(this->rank_), this->from(this->rank_));
  std::vector<T> all(expected.size());
  this->world_.all_gather_v(std::span<const T>(mine), std::span<T>(all),
                            std::span<const int>(counts));
  EXPECT_EQ(all, expected);
}

TEST(Comm, BitOrJoinsTheBitsOfAllRanks) {
  const Communicator world = Communicator::world();
  const std::uint32_t all = world.all_reduce(std::uint32_t{1} << world.rank(), Op::kBitOr);
  EXPECT_EQ(all, (std::uint32_t{1} << world.size()) - 1);
}

TEST(Comm, BytesTravelUnchanged) {
  const Communicator world = Communicator::world();
  std::vector<std::byte> bytes(256);
  if (world.is_root()) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  }
  world.broadcast(std::span<std::byte>(bytes));
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], static_cast<std::byte>(i));
}

TEST(Comm, EmptySpansAreFine) {
  const Communicator world = Communicator::world();
  world.broadcast(std::span<float>());
  world.all_reduce(std::span<double>(), Op::kSum);
  world.all_gather(std::span<const std::int64_t>(), std::span<std::int64_t>());
  EXPECT_EQ(world.all_reduce(1, Op::kSum), world.size());
}

TEST(Comm, TextsKeepZeroBytesAndLengths) {
  const Communicator world = Communicator::world();
  using namespace std::string_literals;
  const std::string text = "a\0b\n\xff"s;
  const int last = world.size() - 1;
  EXPECT_EQ(world.broadcast_text(world.rank() == last ? text : "other", last), text);
  EXPECT_EQ(world.broadcast_text(world.is_root() ? "" : "longer"), "");
}

TEST(Comm, GatherTextsAtEachRoot) {
  const Communicator world = Communicator::world();
  for (int root = 0; root < world.size(); ++root) {
    const std::string mine(static_cast<std::size_t>(world.rank()), 'x');
    const std::vector<std::string> texts = world.gather_texts(mine, root);
    if (world.rank() != root) {
      EXPECT_TRUE(texts.empty());
      continue;
    }
    ASSERT_EQ(texts.size(), static_cast<std::size_t>(world.size()));
    for (std::size_t r = 0; r < texts.size(); ++r) EXPECT_EQ(texts[r], std::string(r, 'x'));
  }
}

TEST(Comm, WrongSizesAreBugsNotOverruns) {
  const Communicator world = Communicator::world();
  std::vector<int> mine(2);
  std::vector<int> all(2 * static_cast<std::size_t>(world.size()) + 1);
  EXPECT_THROW(world.all_gather(std::span<const int>(mine), std::span<int>(all)), base::Error);
  const std::vector<int> counts(static_cast<std::size_t>(world.size()), 2);
  EXPECT_THROW(world.all_gather_v(std::span<const int>(mine), std::span<int>(all),
                                  std::span<const int>(counts)),
               base::Error);
  EXPECT_THROW(world.all_to_all(std::span<const int>(mine), std::span<const int>(counts),
                                std::span<int>(all), std::span<const int>(counts)),
               base::Error);
}

// A message on one communicator must not be received on its duplicate.
TEST(Comm, DuplicateHasTheSameRanksAndItsOwnMessages) {
  const Communicator world = Communicator::world();
  const Communicator copy = world.duplicate();
  EXPECT_EQ(copy.rank(), world.rank());
  EXPECT_EQ(copy.size(), world.size());
  int relation = MPI_IDENT;
  ASSERT_EQ(MPI_Comm_compare(copy.raw(), world.raw(), &relation), MPI_SUCCESS);
  EXPECT_EQ(relation, MPI_CONGRUENT);

  const int me = world.rank();
  const int sent_on_world = 1, sent_on_copy = 2;
  MPI_Request requests[2];
  ASSERT_EQ(MPI_Isend(&sent_on_world, 1, MPI_INT, me, 0, world.raw(), &requests[0]), MPI_SUCCESS);
  ASSERT_EQ(MPI_Isend(&sent_on_copy, 1, MPI_INT, me, 0, copy.raw(), &requests[1]), MPI_SUCCESS);
  int from_world = 0, from_copy = 0;
  MPI_Recv(&from_copy, 1, MPI_INT, me, 0, copy.raw(), MPI_STATUS_IGNORE);
  MPI_Recv(&from_world, 1, MPI_INT, me, 0, world.raw(), MPI_STATUS_IGNORE);
  MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
  EXPECT_EQ(from_copy, 2);
  EXPECT_EQ(from_world, 1);
}

TEST(Comm, CopiesOutliveTheOriginal) {
  Communicator kept = Communicator::self();
  {
    const Communicator copy = Communicator::world().duplicate();
    kept = copy;
  }
  EXPECT_EQ(kept.all_reduce(1, Op::kSum), Communicator::world().size());
}

// mpirun on one machine: all ranks share the node, in the same order.
TEST(Comm, NodeHoldsTheRanksOfThisMachine) {
  const Communicator world = Communicator::world();
  const Communicator node = world.node();
  EXPECT_EQ(node.size(), world.size());
  EXPECT_EQ(node.rank(), world.rank());
}

TEST(Comm, SelfIsAlone) {
  const Communicator self = Communicator::self();
  EXPECT_EQ(self.rank(), 0);
  EXPECT_EQ(self.size(), 1);
  EXPECT_EQ(self.all_reduce(3.5, Op::kSum), 3.5);
}

TEST(Comm, MpiErrorsBecomeExceptions) {
  const Communicator world = Communicator::world();
  double value = 0;
  try {
    world.broadcast(std::span<double>(&value, 1), world.size());
    FAIL() << "a root outside the communicator was taken";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kIo);
    EXPECT_THAT(error.message(), HasSubstr("MPI_Bcast failed: MPI_ERR_ROOT"));
  }
  EXPECT_EQ(world.all_reduce(1, Op::kSum), world.size());
}

TEST(Comm, DescriptionNamesOpenMpiAndTheHostHasAName) {
  EXPECT_THAT(mpi_description(), HasSubstr("Open MPI v"));
  EXPECT_THAT(mpi_description(), HasSubstr("CUDA-aware"));
  EXPECT_FALSE(host_name().empty());
}

}  // namespace
}  // namespace tenfold::comm
