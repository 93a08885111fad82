// Many trees in flight on one rank, fed by one expander.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "search/expander.hpp"
#include "search/options.hpp"
#include "search/tree_search.hpp"
#include "search/work_source.hpp"

namespace tenfold::search {

/// What a progress line shows; counts are of the pool's life, restored ones included.
struct PoolStatistics {
  std::uint64_t trees_done = 0;
  std::uint64_t trees_in_flight = 0;
  std::uint64_t awaited = 0;  ///< expansions that were asked for and have not come
  SearchCounts counts;        ///< of finished trees and of those in flight
  double occupancy = 0;       ///< of the expander's batch, now
};

/// Takes the next work item whenever a tree ends. A tree is a function of its id, the options and
/// the expander: not of the number of trees in flight, the order in which expansions come, pauses,
/// or which rank has it. No call is collective.
class SearchPool {
 public:
  /// Called with every finished search, in the order in which they end.
  using Finished = std::function<void(TreeSearch&&)>;

  /// Throws Code::kUsage for options that are not valid or 0 trees. expander and source must
  /// outlive the pool.
  SearchPool(const SearchOptions& options, std::size_t trees_in_flight, Expander& expander,
             WorkSource& source, Finished finished);
  ~SearchPool();
  SearchPool(const SearchPool&) = delete;
  SearchPool& operator=(const SearchPool&) = delete;

  /// Searches until stop() is true, which is asked between two pieces of the expander's work, or
  /// the source has no more and all trees have ended: then the result is true. May be called again.
  bool run(const std::function<bool()>& stop = {});

  PoolStatistics statistics() const;
  /// The trees in flight, oldest first, as bytes each: sealed, so that damage is found.
  std::vector<std::vector<std::byte>> trees() const;
  /// Adds a tree from such bytes, from this pool or another rank's: there may then be more trees in
  /// flight than were asked for. Throws Code::kCheckpoint, and leaves the pool as it was, on damage
  /// or when the tree is here already.
  void adopt(std::span<const std::byte> tree);
  /// trees() and the counts in one, and back into a pool that has no trees yet.
  std::vector<std::byte> state() const;
  void restore(std::span<const std::byte> state);

 private:
  struct Slot {
    TreeSearch search;
    NodeId told = kNoNode;  ///< the root that the expander was told last
    std::uint64_t number;   ///< in order of beginning
  };
  using Slots = std::unordered_map<std::uint64_t, std::unique_ptr<Slot>>;

  void fill();
  void begin(TreeSearch search);
  void step(Slot& slot);
  void deliver(Expansion& expansion);
  void end(std::uint64_t id);
  std::vector<const Slot*> in_order() const;

  SearchOptions options_;
  std::size_t trees_in_flight_;
  Expander* expander_;
  WorkSource* source_;
  Finished finished_;
  Slots slots_;
  std::uint64_t begun_ = 0, done_ = 0, awaited_ = 0;
  SearchCounts counts_;  ///< of finished trees
  std::vector<NodeId> wanted_;
  std::vector<Expansion> arrived_;
};

}  // namespace tenfold::search
