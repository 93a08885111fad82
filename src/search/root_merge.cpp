#include "search/root_merge.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "base/error.hpp"

namespace tenfold::search {

using base::Code;
using base::Error;

namespace {

constexpr int kPointBits = 64;
constexpr std::uint32_t kMergeMark = 0x4547524D;  // "MRGE"
constexpr std::uint32_t kMergeVersion = 1;

// -0 and 0 compare as equal: only one of them may come out.
NodeFacts positive_zeros(NodeFacts facts) {
  facts.prior += 0.0;
  facts.log_prob += 0.0;
  facts.reward += 0.0;
  facts.self_evaluation += 0.0;
  facts.outcome += 0.0;
  return facts;
}

auto ordered(const NodeFacts& facts) {
  return std::tuple(facts.prior, facts.log_prob, facts.reward, facts.self_evaluation,
                    facts.outcome);
}

template <class Fixed>
Fixed to_fixed(double value) {
  if (!(std::abs(value) < 0x1p30)) {
    throw Error(Code::kNumeric, fmt::format("a tree to be merged has a Q or V of {}", value),
                "Rewards of a search stay below 2^30");
  }
  return static_cast<Fixed>(std::nearbyint(std::ldexp(value, kPointBits)));
}

template <class Fixed>
double mean(Fixed sum, std::uint64_t count) {
  const Fixed whole = sum / static_cast<Fixed>(count);
  return std::ldexp(static_cast<double>(whole), -kPointBits);
}

}  // namespace

RootMerge::Node RootMerge::node_of(const Tree& tree, NodeId node) {
  Node made;
  made.facts = positive_zeros(tree.facts(node));
  made.facts.flags &= ~std::uint32_t{kExpanded};
  made.visits = tree.visits(node);
  made.fresh_q = tree.q(node) + 0.0;
  made.q_sum = static_cast<Fixed>(made.visits) * to_fixed<Fixed>(tree.q(node));
  made.v_sum = static_cast<Fixed>(made.visits) * to_fixed<Fixed>(tree.v(node));
  return made;
}

// Least, sum and union: none depends on the order.
void RootMerge::combine(std::uint32_t mine, const Node& other, bool first) {
  Node& node = nodes_[mine];
  const std::uint32_t flags = first ? other.facts.flags : node.facts.flags | other.facts.flags;
  if (first || ordered(other.facts) < ordered(node.facts)) node.facts = other.facts;
  node.facts.flags = flags;
  node.fresh_q = first ? other.fresh_q : std::min(node.fresh_q, other.fresh_q);
  node.visits += other.visits;
  if (node.visits > UINT32_MAX) {
    throw Error(Code::kNumeric, "merged trees: the visits of a node add up to more than 2^32 - 1",
                "Merge fewer trees");
  }
  node.q_sum += other.q_sum;
  node.v_sum += other.v_sum;
}

std::uint32_t RootMerge::child_of(std::uint32_t parent, std::span<const std::int32_t> step,
                                  bool& fresh) {
  const auto next = static_cast<std::uint32_t>(nodes_.size());
  const auto [place, made] = nodes_[parent].children.try_emplace({step.begin(), step.end()}, next);
  const std::uint32_t child = place->second;
  fresh = made;
  if (made) nodes_.emplace_back();
  return child;
}

void RootMerge::add(const Tree& tree, NodeId root) {
  base::require(root < tree.size(), "RootMerge::add: no such node");
  const bool first = nodes_.empty();
  const std::vector<std::int32_t> items = tree.state_items(root);
  base::require(first || items == root_items_, "RootMerge::add: a tree of another state");
  if (first) {
    nodes_.emplace_back();
    root_items_ = items;
  }
  std::vector<std::uint32_t> mine(tree.size(), UINT32_MAX);
  mine[root] = 0;
  combine(0, node_of(tree, root), first);
  // Children are numbered behind their parents.
  for (NodeId node = root + 1; node < tree.size(); ++node) {
    if (mine[tree.parent(node)] == UINT32_MAX) continue;
    bool fresh = false;
    mine[node] = child_of(mine[tree.parent(node)], tree.items(node), fresh);
    combine(mine[node], node_of(tree, node), fresh);
  }
  ++trees_;
}

void RootMerge::add(const RootMerge& other) {
  if (other.nodes_.empty()) return;
  const bool first = nodes_.empty();
  base::require(first || other.root_items_ == root_items_, "RootMerge::add: another state");
  if (first) {
    nodes_.emplace_back();
    root_items_ = other.root_items_;
  }
  combine(0, other.nodes_[0], first);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> open = {{0, 0}};  // mine, the other's
  while (!open.empty()) {
    const auto [mine, theirs] = open.back();
    open.pop_back();
    for (const auto& [step, child] : other.nodes_[theirs].children) {
      bool fresh = false;
      const std::uint32_t place = child_of(mine, step, fresh);
      combine(place, other.nodes_[child], fresh);
      open.emplace_back(place, child);
    }
  }
  trees_ += other.trees_;
}

Tree RootMerge::tree() const {
  base::require(!nodes_.empty(), "RootMerge::tree: nothing was added");
  const auto facts_of = [](const Node& node) {
    NodeFacts facts = node.facts;
    if (!node.children.empty()) facts.flags &= ~std::uint32_t{kDeadEnd};
    return facts;
  };
  Tree merged(root_items_, facts_of(nodes_[0]));
  std::vector<std::uint32_t> sources = {0};  // by the merged tree's numbers
  for (NodeId node = 0; node < merged.size(); ++node) {
    const Node& source = nodes_[sources[node]];
    const bool visited = source.visits > 0;
    merged.set_statistics(node, static_cast<std::uint32_t>(source.visits),
                          visited ? mean(source.q_sum, source.visits) : source.fresh_q,
                          visited ? mean(source.v_sum, source.visits) : 0);
    if (source.children.empty()) continue;
    Expansion expansion;
    for (const auto& [step, child] : source.children) {
      expansion.add(facts_of(nodes_[child]), step);
      sources.push_back(child);
    }
    merged.expand(node, expansion, EdgeReward::kDifference);
  }
  return merged;
}

void RootMerge::put(ByteWriter& out) const {
  out.number(kMergeMark);
  out.number(kMergeVersion);
  out.number(trees_);
  out.array(root_items_);
  out.number(static_cast<std::uint64_t>(nodes_.size()));
  for (const Node& node : nodes_) {
    for (const double fact : {node.facts.prior, node.facts.log_prob, node.facts.reward,
                              node.facts.self_evaluation, node.facts.outcome, node.fresh_q}) {
      out.number(fact);
    }
    out.number(node.facts.flags);
    out.number(node.visits);
    for (const Fixed sum : {node.q_sum, node.v_sum}) {
      out.number(static_cast<std::int64_t>(sum >> 64));
      out.number(static_cast<std::uint64_t>(sum));
    }
    out.number(static_cast<std::uint64_t>(node.children.size()));
    for (const auto& [step, child] : node.children) {
      out.array(step);
      out.number(child);
    }
  }
}

RootMerge RootMerge::get(ByteReader& in) {
  check_state(in.number<std::uint32_t>() == kMergeMark, "no merged trees where they should be");
  const auto version = in.number<std::uint32_t>();
  check_state(version == kMergeVersion, fmt::format("merged trees of version {}", version));
  RootMerge merge;
  merge.trees_ = in.number<std::uint64_t>();
  merge.root_items_ = in.array<std::int32_t>();
  const auto count = in.number<std::uint64_t>();
  check_state(count <= in.rest().size() && count < UINT32_MAX && (count > 0) == (merge.trees_ > 0),
              "more nodes than bytes");
  std::vector<bool> named(count, false);
  std::uint64_t links = 0;
  for (std::uint64_t at = 0; at < count; ++at) {
    Node& node = merge.nodes_.emplace_back();
    for (double* fact : {&node.facts.prior, &node.facts.log_prob, &node.facts.reward,
                         &node.facts.self_evaluation, &node.facts.outcome, &node.fresh_q}) {
      *fact = in.number<double>();
      check_state(std::isfinite(*fact), "numbers that are not finite");
    }
    node.facts.flags = in.number<std::uint32_t>();
    node.visits = in.number<std::uint64_t>();
    check_state(
        node.facts.prior >= 0 && (node.facts.flags & kExpanded) == 0 && node.visits <= UINT32_MAX,
        "facts that no node has");
    for (Fixed* sum : {&node.q_sum, &node.v_sum}) {
      const auto high = in.number<std::int64_t>();
      *sum = static_cast<Fixed>(high) * (Fixed{1} << 64) + in.number<std::uint64_t>();
      const Fixed most = static_cast<Fixed>(node.visits) * (Fixed{1} << 94);
      check_state(*sum <= most && *sum >= -most, "a sum that its visits cannot give");
    }
    const auto children = in.number<std::uint64_t>();
    check_state(children < count, "more children than nodes");
    for (std::uint64_t k = 0; k < children; ++k) {
      auto step = in.array<std::int32_t>();
      const auto child = in.number<std::uint32_t>();
      check_state(child > at && child < count && !named[child], "a child of two nodes");
      named[child] = true;
      ++links;
      check_state(node.children.emplace(std::move(step), child).second, "two equal children");
    }
  }
  check_state(count == 0 || links == count - 1, "nodes that are no one's children");
  return merge;
}

}  // namespace tenfold::search
