#include "search/work_source.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/error.hpp"

namespace tenfold::search {

ListWork::ListWork(std::vector<std::uint64_t> ids, std::size_t taken)
    : ids_(std::move(ids)), taken_(taken) {}

std::optional<std::uint64_t> ListWork::next() {
  if (taken_ >= ids_.size()) return std::nullopt;
  return ids_[taken_++];
}

SharedWork::SharedWork(std::vector<std::uint64_t> ids, comm::SharedCounters& counters,
                       std::size_t which)
    : ids_(std::move(ids)), counters_(&counters), which_(which) {}

std::optional<std::uint64_t> SharedWork::next() {
  const auto end = static_cast<std::int64_t>(ids_.size());
  // Asked again and again at the end of the list, the counter must not run away.
  if (counters_->read(which_) >= end) return std::nullopt;
  const std::int64_t mine = counters_->fetch_and_add(which_, 1);
  if (mine >= end) return std::nullopt;
  return ids_[static_cast<std::size_t>(mine)];
}

SharedTarget::SharedTarget(comm::SharedCounters& counters, std::size_t which, std::int64_t target)
    : counters_(&counters), which_(which), target_(target) {}

void SharedTarget::count() {
  counters_->fetch_and_add(which_, 1);
}

bool SharedTarget::reached() const {
  return counters_->read(which_) >= target_;
}

std::vector<std::uint64_t> longest_first(std::span<const std::uint64_t> ids,
                                         std::span<const double> costs) {
  base::require(ids.size() == costs.size(), "longest_first: ids and costs differ in length");
  for (const double cost : costs) {
    base::require(!std::isnan(cost), "longest_first: a cost that is no number");
  }
  std::vector<std::size_t> order(ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  std::vector<std::uint64_t> sorted;
  sorted.reserve(ids.size());
  for (const std::size_t k : order) sorted.push_back(ids[k]);
  return sorted;
}

}  // namespace tenfold::search
