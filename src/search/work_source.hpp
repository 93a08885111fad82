// Which trees a rank searches: work items by a list, by itself or shared with other ranks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "comm/shared_counters.hpp"

namespace tenfold::search {

class WorkSource {
 public:
  virtual ~WorkSource() = default;
  /// The id of the next tree to search; nothing when there are none, for now or for good.
  virtual std::optional<std::uint64_t> next() = 0;
};

/// A list that this rank works through alone.
class ListWork : public WorkSource {
 public:
  explicit ListWork(std::vector<std::uint64_t> ids, std::size_t taken = 0);
  std::optional<std::uint64_t> next() override;
  std::size_t taken() const { return taken_; }  ///< for checkpoints

 private:
  std::vector<std::uint64_t> ids_;
  std::size_t taken_;
};

/// A list that all ranks of a group take from, one item at a time, by a counter that they share:
/// who is faster takes more. ids must be the same on all ranks.
class SharedWork : public WorkSource {
 public:
  /// counters must outlive this; its counter number `which` says how many were taken.
  SharedWork(std::vector<std::uint64_t> ids, comm::SharedCounters& counters, std::size_t which);
  std::optional<std::uint64_t> next() override;

 private:
  std::vector<std::uint64_t> ids_;
  comm::SharedCounters* counters_;
  std::size_t which_;
};

/// Counts finished trees over all ranks of a group, so that all pause when the group finished
/// enough: count() in the pool's callback, reached() as its stop function. Ranks that finish trees
/// at the same moment may go over the target by at most one tree a rank.
class SharedTarget {
 public:
  SharedTarget(comm::SharedCounters& counters, std::size_t which, std::int64_t target);
  void count();
  bool reached() const;

 private:
  comm::SharedCounters* counters_;
  std::size_t which_;
  std::int64_t target_;
};

/// ids with the largest cost first, equal ones in their order: the long ones are not what all wait
/// for in the end. Throws Code::kBug when the lengths differ or a cost is not a number.
std::vector<std::uint64_t> longest_first(std::span<const std::uint64_t> ids,
                                         std::span<const double> costs);

}  // namespace tenfold::search
