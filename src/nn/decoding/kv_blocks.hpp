// Which blocks of a pool hold the keys and values of which sequence. Sequences that begin alike
// share blocks: paged attention's reference counts and copy-on-write (Kwon et al., SOSP 2023,
// section 4.3).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tenfold::nn {

/// A handle; one that was released is not mistaken for a later one.
enum class Sequence : std::int64_t { kNone = -1 };

enum class Room {
  kGranted,
  kPoolFull,  ///< release or truncate sequences, then ask again
  kTooLong,   ///< never: longer than any sequence may become
};

/// What extend() answers. Nothing changed unless granted.
struct Extension {
  Room room = Room::kGranted;
  std::int64_t missing_blocks = 0;  ///< of kPoolFull: so many must become free
  explicit operator bool() const { return room == Room::kGranted; }
};

struct KvBlocksOptions {
  std::int64_t block_tokens = 16;
  std::int64_t blocks = 0;   ///< in the pool
  std::int64_t longest = 0;  ///< tokens that a sequence may have
};

struct KvStatistics {
  std::int64_t blocks = 0, free = 0, most_used = 0;
  std::int64_t sequences = 0;
  std::int64_t references = 0;  ///< from sequences to blocks; more than blocks in use when shared
  std::int64_t copies = 0;      ///< of blocks, since construction
};

/// The accounts alone: an engine owns the memory, makes the copies that are pending and marks what
/// it has written. Every set of parameters has a version; a sequence belongs to the version that
/// its first token is written under, and using it under another one throws Code::kBug, so that keys
/// of old parameters are never attended to. Unknown handles throw Code::kBug, too.
class KvBlocks {
 public:
  struct Copy {
    std::int32_t from, to;
  };

  /// Throws Code::kUsage where an option is not positive.
  explicit KvBlocks(const KvBlocksOptions& options);

  /// A sequence without tokens.
  Sequence create();
  /// The first length tokens of parent (all, unless said), every block shared. Takes no block.
  Sequence fork(Sequence parent, std::int64_t length = -1);
  /// Room for count tokens more. A last block that is shared and partly filled is copied first.
  [[nodiscard]] Extension extend(Sequence sequence, std::int64_t count);
  /// Blocks that extend(sequence, count) would take.
  std::int64_t blocks_to_extend(Sequence sequence, std::int64_t count) const;
  void truncate(Sequence sequence, std::int64_t length);
  void release(Sequence sequence);

  std::int64_t length(Sequence sequence) const;
  /// Tokens whose keys and values are written.
  std::int64_t filled(Sequence sequence) const;
  bool alive(Sequence sequence) const;
  bool stale(Sequence sequence) const;
  /// Block numbers, in order of tokens. Valid until the sequence or the number of sequences
  /// changes.
  std::span<const std::int32_t> table(Sequence sequence) const;

  const KvBlocksOptions& options() const { return options_; }
  std::int64_t free_blocks() const { return static_cast<std::int64_t>(free_.size()); }
  KvStatistics statistics() const;

  std::uint64_t version() const { return version_; }
  /// New parameters: all sequences with written tokens become stale.
  void advance_version() { ++version_; }
  /// Releases stale sequences; returns how many.
  std::int64_t drop_stale();
  /// Releases all.
  void clear();

  /// For engines. Copies to make, in this order, before anything is written; the caller has made
  /// them when it calls copied().
  std::span<const Copy> pending_copies() const { return copies_; }
  void copied() { copies_.clear(); }
  /// Token number filled(sequence) is being written: returns its block. Throws Code::kBug where
  /// position is another, the sequence is stale, or the block is shared.
  std::int32_t fill_next(Sequence sequence, std::int64_t position);

 private:
  struct Slot {
    std::vector<std::int32_t> blocks;
    std::int64_t length = 0, filled = 0;
    std::uint64_t version = 0;
    std::uint32_t generation = 0;
    bool used = false;
  };
  std::size_t slot_number(Sequence sequence) const;
  Slot& slot(Sequence sequence) { return slots_[slot_number(sequence)]; }
  const Slot& slot(Sequence sequence) const { return slots_[slot_number(sequence)]; }
  bool stale(const Slot& s) const { return s.filled > 0 && s.version != version_; }
  void check_fresh(const Slot& s, const char* what) const;
  std::int64_t blocks_of(std::int64_t tokens) const;
  bool copies_last(const Slot& s) const;
  std::int32_t take();
  void drop(std::int32_t block);
  void release_slot(std::size_t number);

  KvBlocksOptions options_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> unused_;
  std::vector<std::int32_t> free_, references_;
  std::vector<Copy> copies_;
  std::uint64_t version_ = 1;
  std::int64_t copies_made_ = 0, least_free_ = 0, sequences_ = 0;
};

}  // namespace tenfold::nn
