#include "search/root_parallel.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "search/commit.hpp"
#include "search/root_merge.hpp"

namespace tenfold::search {

namespace {

using Step = std::vector<std::int32_t>;

Step step_of(const Tree& tree, NodeId node) {
  const auto items = tree.items(node);
  return {items.begin(), items.end()};
}

NodeFacts fresh_facts(const Tree& tree, NodeId node) {
  NodeFacts facts = tree.facts(node);
  facts.flags &= ~std::uint32_t{kExpanded | kDeadEnd};
  return facts;
}

Expansion children_of(const Tree& tree, NodeId node) {
  Expansion given;
  given.node = node;
  for (std::uint32_t k = 0; k < tree.child_count(node); ++k) {
    const NodeId child = tree.first_child(node) + k;
    given.add(fresh_facts(tree, child), tree.items(child));
  }
  return given;
}

/// The node that these steps lead to; kNoNode where there is none.
NodeId find(const Tree& tree, std::span<const Step> steps) {
  NodeId node = 0;
  for (const Step& step : steps) {
    const NodeId first = tree.first_child(node), end = first + tree.child_count(node);
    if (tree.child_count(node) == 0) return kNoNode;
    NodeId child = first;
    while (child < end && !std::ranges::equal(tree.items(child), step)) ++child;
    if (child == end) return kNoNode;
    node = child;
  }
  return node;
}

/// One of the searches, as far as it goes with the common path.
struct Voice {
  const TreeSearch* search;
  Tree tree;           ///< as it was when it left the path's last node
  bool beside = true;  ///< all of the path's steps were its own

  void follow(std::span<const Step> path, const SearchOptions& options) {
    const auto committed = search->committed();
    beside = beside && path.size() < committed.size() &&
             std::ranges::equal(search->tree().items(committed[path.size()]), path.back());
    if (beside) {
      tree = tree_at_commit(*search, options, static_cast<std::uint32_t>(path.size()) + 1);
    }
  }
};

}  // namespace

Tree tree_at_commit(const TreeSearch& finished, const SearchOptions& options,
                    std::uint32_t commits) {
  const Tree& known = finished.tree();
  SearchOptions shorter = options;
  shorter.commits = commits;
  TreeSearch again(shorter, finished.id(), Tree(known.items(0), fresh_facts(known, 0)));
  std::vector<NodeId> wanted;
  while (true) {
    wanted.clear();
    again.advance(wanted);
    if (again.done()) return again.take_tree();
    for (const NodeId node : wanted) {
      base::require(node < known.size() && known.has(node, kExpanded | kDeadEnd),
                    "tree_at_commit: another search than the finished one");
      Expansion given = children_of(known, node);
      again.give(given);
    }
  }
}

MergedSearch merged_search(std::span<const TreeSearch> searches, const SearchOptions& options,
                           std::uint64_t id) {
  base::require(!searches.empty(), "merged_search: no searches");
  if (searches.size() == 1) {
    const auto committed = searches[0].committed();
    return {searches[0].tree(), {committed.begin(), committed.end()}};
  }
  RootMerge whole;
  std::vector<Voice> voices;
  for (const TreeSearch& search : searches) {
    whole.add(search.tree());
    voices.push_back({&search, tree_at_commit(search, options, 1)});
  }
  std::vector<Step> path;
  while (true) {
    RootMerge merge;
    std::uint64_t beside = 0;
    for (const Voice& voice : voices) {
      merge.add(voice.tree);
      beside += voice.beside ? 1 : 0;
    }
    const Tree here = merge.tree();
    const NodeId node = find(here, path);
    if (!here.has(node, kExpanded) || here.visits(node) == 0) break;
    path.push_back(
        step_of(here, choose_child(here, node, options, id, std::max<std::uint64_t>(beside, 1))));
    for (Voice& voice : voices) voice.follow(path, options);
  }
  MergedSearch merged{whole.tree(), {0}};
  for (std::size_t k = 1; k <= path.size(); ++k) {
    merged.committed.push_back(find(merged.tree, std::span(path).first(k)));
  }
  return merged;
}

}  // namespace tenfold::search
