// Search trees that a run kept: trees/round-NNNNNN.h5 (docs/schema.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tenfold::tool {

/// Of StoredNode::flags (docs/schema.md).
enum : std::uint32_t {
  kEndFlag = 1U << 0,
  kCutFlag = 1U << 2,
  kGivenFlag = 1U << 3,
  kNoAnswerFlag = 1U << 4,
  kDeadEndFlag = 1U << 5,
  kRightFlag = 1U << 8,
  kWrongFlag = 1U << 9,
  kNoOpinionFlag = 1U << 10
};

struct StoredNode {
  std::uint32_t parent = 0, depth = 0, visits = 0, flags = 0;
  double q = 0, v = 0, reward = 0, self_evaluation = 0, outcome = 0, prior = 0, log_prob = 0;
  bool committed = false;
  std::string text;  ///< of its own step
  std::vector<std::uint32_t> children;

  /// Its step closes a solution with an end token, which texts do not show.
  bool ends() const { return (flags & (kEndFlag | kCutFlag)) == kEndFlag; }
  /// A solution that ends here with a right, or a wrong, answer. Searches may not see which: then
  /// outcomes say nothing, but flags do. Files of before there were these flags have outcomes.
  bool right() const { return judged() ? (flags & kRightFlag) != 0 : outcome > 0; }
  bool wrong() const {
    return judged() ? (flags & (kWrongFlag | kNoAnswerFlag)) != 0 : outcome < 0;
  }

 private:
  bool judged() const { return (flags & (kNoAnswerFlag | kRightFlag | kWrongFlag)) != 0; }
};

/// Numbers of nodes of its tree; what the two continuations add below parent ends at *_end.
struct StoredPair {
  std::uint32_t parent = 0, winner = 0, winner_end = 0, loser = 0, loser_end = 0;
  double alpha = 0, gap = 0, reference_winner = 0, reference_loser = 0;
  std::int64_t policy_updates = 0;
};

struct StoredTree {
  std::uint64_t question = 0;
  std::string id, answer;
  bool right = false;
  std::vector<StoredNode> nodes;  ///< every parent stands before its children
  std::vector<StoredPair> pairs;
  std::map<std::uint32_t, std::string> dropped;  ///< committed node -> why it gave no pair

  /// The texts of the nodes from first (an ancestor of last, or last itself) down to last.
  std::string text(std::uint32_t first, std::uint32_t last) const;
};

/// One round's file, read tree by tree.
class TreeFile {
 public:
  /// Throws Code::kData (damaged, or of a schema that this program does not read), Code::kIo.
  explicit TreeFile(const std::filesystem::path& path);

  std::int64_t round = 0, seed = 0, policy_updates = 0;
  std::string reference;
  std::map<std::string, std::int64_t> tally;

  std::size_t size() const { return question_.size(); }
  std::uint64_t question(std::size_t tree) const { return question_[tree]; }
  const std::string& id(std::size_t tree) const { return id_[tree]; }
  bool has_pairs(std::size_t tree) const;
  /// Throws as the constructor.
  StoredTree read(std::size_t tree) const;

 private:
  std::filesystem::path path_;
  std::vector<std::uint64_t> question_, first_node_;
  std::vector<std::uint32_t> nodes_;
  std::vector<std::uint8_t> right_;
  std::vector<std::string> id_, answer_;
  std::vector<StoredPair> pairs_;
  std::vector<std::uint32_t> pair_tree_, dropped_tree_, dropped_node_;
  std::vector<std::uint8_t> dropped_reason_;
};

/// Files of all rounds that a run kept, by round. Throws Code::kData when it kept none.
std::map<std::int64_t, std::filesystem::path> tree_files(const std::filesystem::path& run);

}  // namespace tenfold::tool
