#include "search/tree.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "base/hash.hpp"

namespace tenfold::search {

using base::Code;
using base::Error;

namespace {

constexpr std::size_t kMostNodes = std::size_t{1} << 31;
constexpr std::size_t kMostItems = std::size_t{1} << 31;

bool finite(const NodeFacts& facts) {
  return std::isfinite(facts.prior) && facts.prior >= 0 && std::isfinite(facts.log_prob) &&
         std::isfinite(facts.reward) && std::isfinite(facts.self_evaluation) &&
         std::isfinite(facts.outcome);
}

std::string described(const NodeFacts& facts) {
  return fmt::format("p {}, log p {}, R {}, C {}, O {}", facts.prior, facts.log_prob, facts.reward,
                     facts.self_evaluation, facts.outcome);
}

void check_facts(const NodeFacts& facts, std::uint64_t tree, NodeId node, std::size_t child) {
  if (finite(facts)) return;
  throw Error(Code::kNumeric,
              fmt::format("tree {}, node {}: child {} has {}", tree, node, child, described(facts)),
              "All must be finite and p not negative: look at the model that the expander asks");
}

}  // namespace

Tree::Tree(std::span<const std::int32_t> root_items, const NodeFacts& root) {
  if (!finite(root)) {
    throw Error(Code::kNumeric, fmt::format("a tree's root has {}", described(root)),
                "All must be finite and p not negative");
  }
  base::require((root.flags & kExpanded) == 0, "Tree: a root that begins expanded");
  grow(1);
  fill(0, root);
  items_.assign(root_items.begin(), root_items.end());
  item_end_[0] = static_cast<std::uint32_t>(items_.size());
}

void Tree::grow(std::size_t count) {
  const std::size_t end = size() + count;
  parent_.resize(end, kNoNode);
  first_child_.resize(end, kNoNode);
  child_count_.resize(end, 0);
  depth_.resize(end, 0);
  visits_.resize(end, 0);
  flags_.resize(end, 0);
  item_end_.resize(end, 0);
  for (auto* array : {&q_, &v_, &prior_, &log_prob_, &reward_, &self_evaluation_, &outcome_}) {
    array->resize(end, 0);
  }
}

void Tree::fill(NodeId node, const NodeFacts& facts) {
  flags_[node] = facts.flags;
  prior_[node] = facts.prior;
  log_prob_[node] = facts.log_prob;
  reward_[node] = facts.reward;
  self_evaluation_[node] = facts.self_evaluation;
  outcome_[node] = facts.outcome;
}

NodeId Tree::expand(NodeId node, const Expansion& expansion, EdgeReward rule) {
  base::require(node < size() && !has(node, kExpanded), "Tree::expand: no such node to expand");
  base::require(!expansion.children.empty() &&
                    expansion.children.size() == expansion.item_ends.size() &&
                    std::is_sorted(expansion.item_ends.begin(), expansion.item_ends.end()) &&
                    expansion.item_ends.back() == expansion.items.size(),
                "Tree::expand: an expansion without children, or with items that do not fit");
  const std::size_t count = expansion.children.size();
  base::require(size() + count < kMostNodes && items_.size() + expansion.items.size() < kMostItems,
                "Tree::expand: a tree of more than 2^31 nodes or items");
  for (std::size_t child = 0; child < count; ++child) {
    check_facts(expansion.children[child], expansion.tree, node, child);
    base::require((expansion.children[child].flags & kExpanded) == 0,
                  "Tree::expand: a child that begins expanded");
  }
  const NodeId first = size();
  const auto item_begin = static_cast<std::uint32_t>(items_.size());
  grow(count);
  for (std::size_t child = 0; child < count; ++child) {
    const NodeId made = first + static_cast<NodeId>(child);
    fill(made, expansion.children[child]);
    parent_[made] = node;
    depth_[made] = depth_[node] + 1;
    item_end_[made] = item_begin + expansion.item_ends[child];
    q_[made] = edge_reward(made, rule);
  }
  items_.insert(items_.end(), expansion.items.begin(), expansion.items.end());
  first_child_[node] = first;
  child_count_[node] = static_cast<std::uint32_t>(count);
  flags_[node] |= kExpanded;
  return first;
}

std::span<const std::int32_t> Tree::items(NodeId node) const {
  const std::size_t begin = node == 0 ? 0 : item_end_[node - 1];
  return std::span(items_).subspan(begin, item_end_[node] - begin);
}

NodeFacts Tree::facts(NodeId node) const {
  return {prior_[node],           log_prob_[node], reward_[node],
          self_evaluation_[node], outcome_[node],  flags_[node]};
}

std::vector<NodeId> Tree::path(NodeId node) const {
  std::vector<NodeId> nodes(depth_[node] + 1);
  for (std::size_t k = nodes.size(); k-- > 0; node = parent_[node]) nodes[k] = node;
  return nodes;
}

std::vector<std::int32_t> Tree::state_items(NodeId node) const {
  std::vector<std::int32_t> all;
  for (const NodeId each : path(node)) {
    const auto step = items(each);
    all.insert(all.end(), step.begin(), step.end());
  }
  return all;
}

std::uint64_t Tree::path_key(NodeId node) const {
  std::vector<std::uint32_t> indices;
  for (; node != 0; node = parent_[node]) indices.push_back(node - first_child_[parent_[node]]);
  return base::xxh64_of(std::span<const std::uint32_t>(indices));
}

std::uint32_t Tree::visit_spread(NodeId node) const {
  if (child_count_[node] == 0) return 0;
  const auto first = visits_.begin() + static_cast<std::ptrdiff_t>(first_child_[node]);
  const auto found = std::minmax_element(first, first + child_count_[node]);
  return *found.second - *found.first;
}

void Tree::set_statistics(NodeId node, std::uint32_t visits, double q, double v) {
  visits_[node] = visits;
  q_[node] = q;
  v_[node] = v;
}

void Tree::shrink() {
  const auto fit = [](auto&... arrays) { (arrays.shrink_to_fit(), ...); };
  fit(parent_, first_child_, child_count_, depth_, visits_, flags_, item_end_, q_, v_, prior_,
      log_prob_, reward_, self_evaluation_, outcome_, items_);
}

std::size_t Tree::bytes_held() const {
  const auto held = [](const auto& array) { return array.capacity() * sizeof(array[0]); };
  return held(parent_) + held(first_child_) + held(child_count_) + held(depth_) + held(visits_) +
         held(flags_) + held(item_end_) + held(q_) + held(v_) + held(prior_) + held(log_prob_) +
         held(reward_) + held(self_evaluation_) + held(outcome_) + held(items_);
}

}  // namespace tenfold::search
