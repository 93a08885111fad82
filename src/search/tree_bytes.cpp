#include <algorithm>
#include <cmath>

#include "search/tree.hpp"

namespace tenfold::search {

namespace {

constexpr std::uint32_t kTreeMark = 0x45525453;  // "STRE"
constexpr std::uint32_t kTreeVersion = 1;

}  // namespace

void Tree::put(ByteWriter& out) const {
  out.number(kTreeMark);
  out.number(kTreeVersion);
  out.array(parent_);
  out.array(first_child_);
  out.array(child_count_);
  out.array(depth_);
  out.array(visits_);
  out.array(flags_);
  out.array(item_end_);
  out.array(q_);
  out.array(v_);
  out.array(prior_);
  out.array(log_prob_);
  out.array(reward_);
  out.array(self_evaluation_);
  out.array(outcome_);
  out.array(items_);
}

Tree Tree::get(ByteReader& in) {
  check_state(in.number<std::uint32_t>() == kTreeMark, "no tree where one should be");
  const auto version = in.number<std::uint32_t>();
  check_state(version == kTreeVersion, fmt::format("a tree of version {}", version));
  Tree tree{Unfilled{}};
  tree.parent_ = in.array<NodeId>();
  const std::uint64_t count = tree.parent_.size();
  tree.first_child_ = in.array<NodeId>(count);
  tree.child_count_ = in.array<std::uint32_t>(count);
  tree.depth_ = in.array<std::uint32_t>(count);
  tree.visits_ = in.array<std::uint32_t>(count);
  tree.flags_ = in.array<std::uint32_t>(count);
  tree.item_end_ = in.array<std::uint32_t>(count);
  tree.q_ = in.array<double>(count);
  tree.v_ = in.array<double>(count);
  tree.prior_ = in.array<double>(count);
  tree.log_prob_ = in.array<double>(count);
  tree.reward_ = in.array<double>(count);
  tree.self_evaluation_ = in.array<double>(count);
  tree.outcome_ = in.array<double>(count);
  tree.items_ = in.array<std::int32_t>();
  tree.check_whole();
  return tree;
}

// All that the rest of the module takes for granted: every index in range, children side by side
// behind their parent, numbers finite.
void Tree::check_whole() const {
  const std::size_t count = parent_.size();
  check_state(count > 0 && parent_[0] == kNoNode && depth_[0] == 0, "a tree without a root");
  const auto same = [count](const auto&... arrays) { return ((arrays.size() == count) && ...); };
  check_state(same(first_child_, child_count_, depth_, visits_, flags_, item_end_, q_, v_, prior_,
                   log_prob_, reward_, self_evaluation_, outcome_),
              "arrays of different lengths");
  check_state(
      std::is_sorted(item_end_.begin(), item_end_.end()) && item_end_.back() == items_.size(),
      "items that belong to no node");
  std::size_t children = 0;
  for (std::size_t node = 0; node < count; ++node) {
    const bool expanded = (flags_[node] & kExpanded) != 0;
    const std::size_t first = first_child_[node], many = child_count_[node];
    check_state(expanded == (many > 0) && expanded == (first_child_[node] != kNoNode),
                fmt::format("node {} is expanded and is not", node));
    children += many;
    if (!expanded) continue;
    check_state(first > node && first < count && many <= count - first,
                fmt::format("children of node {} lie elsewhere", node));
    for (std::size_t child = first; child < first + many; ++child) {
      check_state(parent_[child] == node && depth_[child] == depth_[node] + 1,
                  fmt::format("node {} is no child of node {}", child, node));
    }
  }
  check_state(children == count - 1, "nodes that are no one's children");
  const auto finite = [](const std::vector<double>& array) {
    return std::all_of(array.begin(), array.end(), [](double each) { return std::isfinite(each); });
  };
  check_state(finite(q_) && finite(v_) && finite(prior_) && finite(log_prob_) && finite(reward_) &&
                  finite(self_evaluation_) && finite(outcome_),
              "numbers that are not finite");
}

}  // namespace tenfold::search
