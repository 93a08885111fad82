#include "store/ring_chain.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "store/checkpoint_layout.hpp"

namespace tenfold::store {

bool RingChain::accepts(std::uint64_t step, const StateLayout& layout) const {
  if (members_.empty() || members_.size() >= kMostMembers || step <= members_.back().step) {
    return false;
  }
  bool saves = false;
  for (const FieldLayout& field : layout.fields) {
    if (!field.ring()) continue;
    const auto before = counts_.find(field.field->name);
    if (before == counts_.end() || before->second.size() != field.written.size()) return false;
    const auto& held = held_.at(field.field->name);
    const std::uint64_t slots = capacity_rows(*field.field);
    std::uint64_t most_added = 0;
    for (std::size_t shard = 0; shard < field.written.size(); ++shard) {
      const std::uint64_t in_use = std::min(field.written[shard], slots);
      if (field.written[shard] < before->second[shard]) return false;
      const std::uint64_t added = std::min(field.written[shard] - before->second[shard], in_use);
      if (held[shard] + added > 2 * slots) return false;
      most_added = std::max(most_added, added);
    }
    // The shard with the most rows decides how large the data set is.
    saves = saves || most_added < *std::max_element(field.rows.begin(), field.rows.end());
  }
  return saves;
}

void RingChain::add(CheckpointNeed member, const StateLayout& layout) {
  const bool increment = std::any_of(layout.fields.begin(), layout.fields.end(),
                                     [](const FieldLayout& field) { return field.increment(); });
  if (!increment) clear();
  members_.push_back(std::move(member));
  for (const FieldLayout& field : layout.fields) {
    if (!field.ring()) continue;
    counts_[field.field->name] = field.written;
    auto& held = held_[field.field->name];
    held.resize(field.rows.size(), 0);
    for (std::size_t shard = 0; shard < held.size(); ++shard) held[shard] += field.rows[shard];
  }
}

}  // namespace tenfold::store
