#include <algorithm>

#include "search/tree_search.hpp"

namespace tenfold::search {

namespace {

constexpr std::uint32_t kSearchMark = 0x48435253;  // "SRCH"
constexpr std::uint32_t kSearchVersion = 1;

}  // namespace

void TreeSearch::put(ByteWriter& out) const {
  out.number(kSearchMark);
  out.number(kSearchVersion);
  out.number(id_);
  tree_.put(out);
  out.array(committed_);
  out.number(started_);
  out.number(completed_);
  out.number(static_cast<std::uint8_t>(settled_));
  out.number(static_cast<std::uint8_t>(done_));
  out.number(counts_.iterations);
  out.number(counts_.expansions);
  out.number(counts_.children);
  out.number(counts_.dead_ends);
  out.number(counts_.roots_settled);
  out.number(static_cast<std::uint64_t>(paths_.size()));
  for (const Path& path : paths_) out.array(path.nodes);
  out.number(static_cast<std::uint64_t>(requests_.size()));
  for (const Request& request : requests_) {
    out.number(request.node);
    out.array(request.waiting);
  }
}

namespace {

std::uint64_t head(ByteReader& in) {
  check_state(in.number<std::uint32_t>() == kSearchMark, "no search where one should be");
  const auto version = in.number<std::uint32_t>();
  check_state(version == kSearchVersion, fmt::format("a search of version {}", version));
  return in.number<std::uint64_t>();
}

}  // namespace

std::uint64_t TreeSearch::id_of(ByteReader in) {
  return head(in);
}

TreeSearch TreeSearch::get(ByteReader& in, const SearchOptions& options) {
  const std::uint64_t id = head(in);
  TreeSearch search(options, id, Tree::get(in));
  search.committed_ = in.array<NodeId>(search.tree_.size());
  search.started_ = in.number<std::uint64_t>();
  search.completed_ = in.number<std::uint64_t>();
  search.settled_ = in.number<std::uint8_t>() != 0;
  search.done_ = in.number<std::uint8_t>() != 0;
  for (std::uint64_t* count :
       {&search.counts_.iterations, &search.counts_.expansions, &search.counts_.children,
        &search.counts_.dead_ends, &search.counts_.roots_settled}) {
    *count = in.number<std::uint64_t>();
  }
  check_state(in.number<std::uint64_t>() == options.paths_in_flight,
              "it was searched with another number of paths in flight");
  for (Path& path : search.paths_) path.nodes = in.array<NodeId>(search.tree_.size());
  const auto requests = in.number<std::uint64_t>();
  check_state(requests <= options.paths_in_flight, "more requests than paths");
  for (std::uint64_t k = 0; k < requests; ++k) {
    Request request;
    request.node = in.number<NodeId>();
    request.waiting = in.array<std::uint32_t>(options.paths_in_flight);
    search.requests_.push_back(std::move(request));
  }
  search.check_whole();
  if (options.virtual_mode != Virtual::kNone) {
    for (const Path& path : search.paths_) {
      for (const NodeId node : path.nodes) ++search.under_way_[node];
    }
  }
  return search;
}

// Paths lead from the search's root from parent to child and wait, each once, for a node that is
// not expanded.
void TreeSearch::check_whole() const {
  const auto chain = [this](const std::vector<NodeId>& nodes, NodeId start) {
    if (nodes.empty() || nodes.front() != start) return false;
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      if (nodes[k] >= tree_.size()) return false;
      if (k > 0 && tree_.parent(nodes[k]) != nodes[k - 1]) return false;
    }
    return true;
  };
  check_state(chain(committed_, 0), "the committed steps are no path");
  std::vector<std::uint32_t> waits(paths_.size(), 0);
  std::size_t under_way = 0;
  for (const Path& path : paths_) {
    if (path.nodes.empty()) continue;
    ++under_way;
    check_state(chain(path.nodes, root()), "a path under way is no path");
  }
  check_state(started_ >= completed_ && started_ - completed_ == under_way &&
                  started_ <= budget() && (!done_ || under_way == 0),
              "its iterations do not add up");
  check_state(done_ || !is_leaf(root()), "a search that goes on at a leaf");
  std::vector<NodeId> asked;
  for (const Request& request : requests_) {
    check_state(request.node < tree_.size() && !tree_.has(request.node, kExpanded) &&
                    !is_leaf(request.node) && !request.waiting.empty(),
                "a request for a node that has its children");
    asked.push_back(request.node);
    for (const std::uint32_t slot : request.waiting) {
      check_state(slot < paths_.size() && !paths_[slot].nodes.empty() &&
                      paths_[slot].nodes.back() == request.node && ++waits[slot] == 1,
                  "a path that waits for another node");
    }
  }
  std::sort(asked.begin(), asked.end());
  check_state(std::adjacent_find(asked.begin(), asked.end()) == asked.end(),
              "a node that is asked for twice");
  const auto waiting = static_cast<std::size_t>(std::count(waits.begin(), waits.end(), 1U));
  check_state(waiting == under_way, "a path that waits for nothing");
}

}  // namespace tenfold::search
