#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "base/error.hpp"
#include "mcts_dpo/trees/tree_file.hpp"
#include "store/h5_table.hpp"
#include "store_folder.hpp"

namespace tenfold::mcts_dpo {
namespace {

using base::Code;
using base::Error;
using search::Expansion;
using search::NodeId;
using ::testing::ElementsAre;

search::NodeFacts facts_of(double prior, double reward, std::uint32_t flags) {
  search::NodeFacts facts;
  facts.prior = prior;
  facts.log_prob = -prior;
  facts.reward = reward;
  facts.outcome = flags == 0 ? 0 : reward;
  facts.flags = flags;
  return facts;
}

/// Root, children 1 and 2; 3 below 1.
search::Tree small_tree() {
  const std::vector<std::int32_t> prompt{7, 8};
  search::Tree tree(prompt);
  Expansion first;
  first.add(facts_of(0.5, 0.25, 0), std::vector<std::int32_t>{10, 11, 12});
  first.add(facts_of(0.125, -1, search::kTerminal), std::vector<std::int32_t>{20});
  tree.expand(0, first, search::EdgeReward::kDifference);
  Expansion second;
  second.add(facts_of(1, 1, search::kTerminal), std::vector<std::int32_t>{30, 31});
  tree.expand(1, second, search::EdgeReward::kDifference);
  tree.set_statistics(1, 4, 0.75, 0.5);
  return tree;
}

TreeNote note_of(std::uint64_t question) {
  return {question,
          "q-" + std::to_string(question),
          "42",
          true,
          {"two and two ?\n", "2 + 2 = 4", "wrong", "\nThe answer is 4"},
          {Truth::kUnknown, Truth::kRight, Truth::kWrong, Truth::kRight}};
}

/// Two trees, a pair of the second, a place of the first that gave none.
TreeTable small_table(double gap) {
  TreeTable table;
  const std::vector<NodeId> committed{0, 1, 3};
  table.add(small_tree(), committed, note_of(96));
  table.add(small_tree(), committed, note_of(97));
  PreferencePair pair;
  pair.question = 97;
  pair.smoothing = 0.2;
  pair.gap = gap;
  pair.reference_winner = -3.5;
  pair.reference_loser = -2.25;
  pair.nodes = {0, 1, 3, 2, 2};
  table.add(std::vector{pair}, 12);
  PairTally tally;
  tally.trees = 2;
  tally.kept = 1;
  tally.small_gap = 1;
  tally.places.push_back({96, 1, DropReason::kSmallGap});
  table.add(tally);
  return table;
}

RoundFacts facts() {
  RoundFacts each;
  each.round = 3;
  each.seed = 11;
  each.policy_updates = 12;
  each.reference = "0123456789abcdef";
  each.prompts = {{"question", "{question}\\n"}, {"answer", ""}};
  return each;
}

class TreeFileTest : public store::FolderTest {
 protected:
  TreeFileTest() : path_(tree_file_name(folder_, 3)) {}

  store::Hid open() const {
    return store::open_file(path_, H5F_ACC_RDONLY, store::serial_access(H5F_LIBVER_V18, false));
  }
  template <class T>
  std::vector<T> column(const std::string& name) const {
    const store::Hdf5Session session;
    const store::Hid file = open();
    return store::StoredColumn(file.get(), name).read<T>();
  }

  std::filesystem::path path_;
};

TEST_F(TreeFileTest, NamesLieInTheRunsFolder) {
  EXPECT_EQ(path_, folder_ / "trees" / "round-000003.h5");
}

TEST_F(TreeFileTest, HoldsTreesNodesAndTexts) {
  write_tree_file(path_, facts(), small_table(1.5));
  EXPECT_THAT(column<std::uint64_t>("trees/question"), ElementsAre(96, 97));
  EXPECT_THAT(column<std::uint64_t>("trees/first_node"), ElementsAre(0, 4));
  EXPECT_THAT(column<std::uint32_t>("trees/nodes"), ElementsAre(4, 4));
  EXPECT_THAT(column<std::uint32_t>("nodes/tree"), ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  EXPECT_THAT(column<std::uint32_t>("nodes/parent"),
              ElementsAre(search::kNoNode, 0, 0, 1, search::kNoNode, 0, 0, 1));
  EXPECT_THAT(column<std::uint8_t>("nodes/committed"), ElementsAre(1, 1, 0, 1, 1, 1, 0, 1));
  EXPECT_THAT(column<std::uint8_t>("nodes/truth"), ElementsAre(2, 1, 0, 1, 2, 1, 0, 1));
  EXPECT_THAT(column<std::uint32_t>("nodes/N"), ElementsAre(0, 4, 0, 0, 0, 4, 0, 0));
  EXPECT_THAT(column<double>("nodes/Q"), ElementsAre(0, 0.75, -1, 0.75, 0, 0.75, -1, 0.75));
  EXPECT_THAT(column<double>("nodes/V"), ElementsAre(0, 0.5, 0, 0, 0, 0.5, 0, 0));
  EXPECT_THAT(column<double>("nodes/prior"), ElementsAre(1, 0.5, 0.125, 1, 1, 0.5, 0.125, 1));
  EXPECT_THAT(column<std::uint64_t>("nodes/token_begin"), ElementsAre(0, 2, 5, 6, 8, 10, 13, 14));
  EXPECT_THAT(column<std::uint64_t>("nodes/token_end"), ElementsAre(2, 5, 6, 8, 10, 13, 14, 16));
  EXPECT_THAT(column<std::int32_t>("tokens"),
              ElementsAre(7, 8, 10, 11, 12, 20, 30, 31, 7, 8, 10, 11, 12, 20, 30, 31));
  const auto bytes = column<std::uint8_t>("texts");
  const auto begins = column<std::uint64_t>("nodes/text_begin");
  const auto ends = column<std::uint64_t>("nodes/text_end");
  EXPECT_EQ(std::string(bytes.begin() + static_cast<std::ptrdiff_t>(begins[7]),
                        bytes.begin() + static_cast<std::ptrdiff_t>(ends[7])),
            "\nThe answer is 4");
  const auto ids = column<std::uint8_t>("ids");
  EXPECT_EQ(std::string(ids.begin(), ids.end()), "q-96q-97");
}

TEST_F(TreeFileTest, HoldsPairsAndWhatGaveNone) {
  write_tree_file(path_, facts(), small_table(1.5));
  EXPECT_THAT(column<std::uint32_t>("pairs/tree"), ElementsAre(1));
  EXPECT_THAT(column<std::uint32_t>("pairs/winner"), ElementsAre(1));
  EXPECT_THAT(column<std::uint32_t>("pairs/winner_end"), ElementsAre(3));
  EXPECT_THAT(column<std::uint32_t>("pairs/loser"), ElementsAre(2));
  EXPECT_THAT(column<double>("pairs/alpha"), ElementsAre(0.2));
  EXPECT_THAT(column<double>("pairs/reference_loser"), ElementsAre(-2.25));
  EXPECT_THAT(column<std::int64_t>("pairs/policy_updates"), ElementsAre(12));
  EXPECT_THAT(column<std::uint32_t>("dropped/tree"), ElementsAre(0));
  EXPECT_THAT(column<std::uint8_t>("dropped/reason"), ElementsAre(1));
  const store::Hdf5Session session;
  const store::Hid file = open();
  EXPECT_EQ(store::read_text(file.get(), "schema"), "tenfold-trees");
  EXPECT_EQ(store::read_integer(file.get(), "policy_updates"), 12);
  EXPECT_EQ(store::read_text(store::open_group(file.get(), "prompts").get(), "question"),
            "{question}\\n");
  EXPECT_EQ(store::read_integer(store::open_group(file.get(), "tally").get(), "small_gap"), 1);
}

TEST_F(TreeFileTest, WrittenAgainItIsTheSameFile) {
  write_tree_file(path_, facts(), small_table(1.5));
  const std::string first = read_file(path_);
  write_tree_file(path_, facts(), small_table(1.5));
  EXPECT_EQ(read_file(path_), first);
  write_tree_file(path_, facts(), small_table(2.5));
  EXPECT_NE(read_file(path_), first);
}

TEST_F(TreeFileTest, ARoundWithoutATreeIsAFile) {
  write_tree_file(path_, facts(), TreeTable());
  EXPECT_TRUE(column<double>("nodes/Q").empty());
  EXPECT_TRUE(column<std::uint8_t>("texts").empty());
}

// RLIMIT_FSIZE makes write() fail as a full disk does.
TEST_F(TreeFileTest, AFullDiskLeavesTheOldFile) {
  write_tree_file(path_, facts(), small_table(1.5));
  const std::string before = read_file(path_);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit limited{2048, old.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &limited);
  try {
    write_tree_file(path_, facts(), small_table(2.5));
    ADD_FAILURE() << "a file larger than the limit was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kIo);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("round-000003.h5.tmp"));
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(read_file(path_), before);
  EXPECT_FALSE(std::filesystem::exists(path_.string() + ".tmp"));
}

TEST_F(TreeFileTest, RowsThatAreNotThereAreRefused) {
  write_tree_file(path_, facts(), small_table(1.5));
  const store::Hdf5Session session;
  const store::Hid file = open();
  const store::StoredColumn column(file.get(), "nodes/N");
  EXPECT_THAT(column.read<std::uint32_t>(4, 2), ElementsAre(0, 4));
  EXPECT_THROW(column.read<std::uint32_t>(5, 4), Error);
  EXPECT_THROW(column.read<std::uint32_t>(9, 0), Error);
  EXPECT_THROW(column.read<std::uint32_t>(0, std::uint64_t{1} << 40U), Error);
  EXPECT_THROW(store::StoredColumn(file.get(), "nodes"), Error);
}

TEST(TreeTable, RefusesWhatIsNotItsTrees) {
  TreeTable table = small_table(1);
  PreferencePair pair;
  pair.question = 5;
  EXPECT_THROW(table.add(std::vector{pair}, 0), Error);
  TreeNote note = note_of(98);
  note.texts.pop_back();
  const std::vector<NodeId> committed{0};
  EXPECT_THROW(table.add(small_tree(), committed, note), Error);
}

}  // namespace
}  // namespace tenfold::mcts_dpo
