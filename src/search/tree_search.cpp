#include "search/tree_search.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "search/commit.hpp"
#include "search/puct.hpp"

namespace tenfold::search {

using base::Code;
using base::Error;

SearchCounts& SearchCounts::operator+=(const SearchCounts& other) {
  iterations += other.iterations;
  expansions += other.expansions;
  children += other.children;
  dead_ends += other.dead_ends;
  roots_settled += other.roots_settled;
  return *this;
}

TreeSearch::TreeSearch(const SearchOptions& options, std::uint64_t id, Tree tree)
    : options_(&options), id_(id), tree_(std::move(tree)), paths_(options.paths_in_flight) {
  base::require(tree_.size() > 0, "TreeSearch: an empty tree");
  if (options.virtual_mode != Virtual::kNone) under_way_.assign(tree_.size(), 0);
  done_ = is_leaf(0);
}

std::uint64_t TreeSearch::budget() const {
  const std::uint64_t many = options_->iterations;
  return root() == 0 ? many * options_->first_root_multiplier : many;
}

bool TreeSearch::is_leaf(NodeId node) const {
  if (tree_.has(node, kTerminal | kDeadEnd)) return true;
  const std::uint32_t depth = tree_.depth(node);
  if (options_->depth_from == DepthFrom::kTreeRoot) return depth >= options_->depth_limit;
  return depth - tree_.depth(root()) >= options_->depth_limit || depth >= options_->max_depth;
}

// What comes next depends on the search's state alone, never on what has arrived: paths begin while
// they can, then the oldest request is taken, however long that has to be waited for.
void TreeSearch::advance(std::vector<NodeId>& wanted) {
  while (!done_) {
    if (started_ < budget() && !settled_ && started_ - completed_ < paths_.size()) {
      start_path(wanted);
    } else if (started_ == completed_) {
      commit();
    } else if (requests_.front().arrived) {
      take_oldest(wanted);
    } else {
      return;
    }
  }
}

void TreeSearch::start_path(std::vector<NodeId>& wanted) {
  const auto free = std::find_if(paths_.begin(), paths_.end(),
                                 [](const Path& path) { return path.nodes.empty(); });
  const auto slot = static_cast<std::uint32_t>(free - paths_.begin());
  ++started_;
  if (options_->official) tree_.add_visit(root());
  enter(slot, root());
  follow(slot, wanted);
}

void TreeSearch::enter(std::uint32_t slot, NodeId node) {
  paths_[slot].nodes.push_back(node);
  if (options_->virtual_mode != Virtual::kNone) ++under_way_[node];
}

// Down from where a path stands, as far as it gets.
void TreeSearch::follow(std::uint32_t slot, std::vector<NodeId>& wanted) {
  while (true) {
    const NodeId node = paths_[slot].nodes.back();
    if (is_leaf(node)) break;
    if (!tree_.has(node, kExpanded)) return wait(slot, node, wanted);
    const NodeId child = select_child(tree_, node, *options_, under_way_);
    enter(slot, child);
    if (options_->iteration_end == IterationEnd::kNewNode && tree_.visits(child) == 0) break;
  }
  finish(slot);
}

void TreeSearch::wait(std::uint32_t slot, NodeId node, std::vector<NodeId>& wanted) {
  const auto found = std::find_if(requests_.begin(), requests_.end(),
                                  [node](const Request& each) { return each.node == node; });
  if (found != requests_.end()) {
    found->waiting.push_back(slot);
    return;
  }
  Request request;
  std::swap(request, spare_);  // for its memory
  request.node = node;
  request.waiting.assign(1, slot);
  request.arrived = false;
  requests_.push_back(std::move(request));
  wanted.push_back(node);
}

void TreeSearch::give(Expansion& expansion) {
  const auto found = std::find_if(requests_.begin(), requests_.end(),
                                  [&](const Request& each) { return each.node == expansion.node; });
  base::require(
      found != requests_.end() && !found->arrived,
      fmt::format("tree {}: children of node {}, which were not asked for", id_, expansion.node));
  if (expansion.children.empty() && !options_->empty_is_terminal) {
    throw Error(Code::kData,
                fmt::format("tree {}: node {} at depth {} is no terminal, and its expansion has no "
                            "children",
                            id_, expansion.node, tree_.depth(expansion.node)),
                "An expander gives at least one child (for a language model: the end of the "
                "text), or the search takes such nodes as ends: empty_is_terminal");
  }
  expansion.tree = id_;
  std::swap(found->expansion, expansion);
  found->arrived = true;
}

void TreeSearch::take_oldest(std::vector<NodeId>& wanted) {
  Request request = std::move(requests_.front());
  requests_.erase(requests_.begin());
  install(request);
  for (const std::uint32_t slot : request.waiting) follow(slot, wanted);
  spare_ = std::move(request);
}

void TreeSearch::install(const Request& request) {
  if (request.expansion.children.empty()) {
    tree_.add_flags(request.node, kDeadEnd);
    ++counts_.dead_ends;
  } else {
    tree_.expand(request.node, request.expansion, options_->edge_reward);
    if (options_->virtual_mode != Virtual::kNone) under_way_.resize(tree_.size(), 0);
    counts_.children += request.expansion.children.size();
  }
  ++counts_.expansions;
}

void TreeSearch::finish(std::uint32_t slot) {
  std::vector<NodeId>& nodes = paths_[slot].nodes;
  if (options_->virtual_mode != Virtual::kNone) {
    for (const NodeId node : nodes) --under_way_[node];
  }
  backup(tree_, nodes, *options_);
  nodes.clear();
  ++completed_;
  ++counts_.iterations;
  if (!options_->early_stop || settled_ || started_ == budget()) return;
  const auto left = static_cast<std::uint32_t>(budget() - completed_);
  settled_ = choice_is_settled(tree_, root(), *options_, left);
  if (settled_) ++counts_.roots_settled;
}

void TreeSearch::commit() {
  started_ = completed_ = 0;
  settled_ = false;
  if (is_leaf(root())) {  // its expansion gave nothing
    done_ = true;
    return;
  }
  committed_.push_back(choose_child(tree_, root(), *options_, id_));
  const bool enough = options_->commits != 0 && committed_.size() > options_->commits;
  done_ = enough || is_leaf(root());
}

void TreeSearch::awaited(std::vector<NodeId>& nodes) const {
  for (const Request& request : requests_) {
    if (!request.arrived) nodes.push_back(request.node);
  }
}

}  // namespace tenfold::search
