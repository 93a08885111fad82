// Checkpoints that build on earlier ones: a full one, and after it those that hold only the rows
// of ring fields that are new. Internal to store, but for the two types that its interface names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tenfold::store {

/// A checkpoint that another one builds on.
struct CheckpointNeed {
  std::uint64_t step = 0;
  std::string sha256;  ///< of its state.h5
  bool operator==(const CheckpointNeed&) const = default;
};

/// By ring field and shard: rows ever written at some moment.
using RingCounts = std::map<std::string, std::vector<std::uint64_t>>;

struct StateLayout;

/// Members of a chain, the full one included.
inline constexpr std::size_t kMostMembers = 16;

/// The chain that a process is writing, the same on all ranks (but for digests, which rank 0 alone
/// needs). A chain never spans processes: who starts or resumes begins with a full checkpoint.
class RingChain {
 public:
  const std::vector<CheckpointNeed>& members() const { return members_; }
  /// At the newest member.
  const RingCounts& counts() const { return counts_; }

  /// Whether a checkpoint of step may hold only rows after counts(). Not if there is nothing to
  /// build on, nothing that it would save, or if the chain would have more than kMostMembers or
  /// hold more rows of a shard than twice its slots (what a resume has to read).
  bool accepts(std::uint64_t step, const StateLayout& layout) const;
  /// Takes in a committed checkpoint: as the first member when its rings are whole.
  void add(CheckpointNeed member, const StateLayout& layout);
  void clear() { *this = RingChain(); }

 private:
  std::vector<CheckpointNeed> members_;
  RingCounts counts_;
  RingCounts held_;  ///< rows in the members' files together
};

}  // namespace tenfold::store
