// search_bench TREES ITERATIONS CHILDREN IN_FLIGHT new|terminal: one measurement of search.py, in
// CPU seconds. Prints {simulations_per_s, children_per_s, bytes_per_node, nodes_per_tree}. An
// expansion costs next to nothing: CHILDREN facts from a few multiplications.
//   new       every iteration makes one expansion and ends at a new node (UCT, mctx)
//   terminal  the specification's: iterations go down to depth 4, steps are committed to
#include <fmt/format.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "base/clock.hpp"
#include "search/search_pool.hpp"

namespace {

using namespace tenfold;
using namespace tenfold::search;

class FreeExpander : public Expander {
 public:
  explicit FreeExpander(std::size_t children) : children_(children) {}

  void submit(std::uint64_t id, const Tree& /*tree*/, NodeId node) override {
    Expansion made = spare(id, node);
    std::uint64_t state = (id + 1) * 0x9E3779B97F4A7C15U + node * 0xD1B54A32D192ED03U;
    for (std::size_t k = 0; k < children_; ++k) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      NodeFacts facts;
      facts.prior = static_cast<double>(state >> 40) * 0x1p-24;
      facts.self_evaluation = facts.reward =
          static_cast<double>((state >> 16) & 0xFFFFFF) * 0x1p-24;
      const auto item = static_cast<std::int32_t>(k);
      made.add(facts, {&item, 1});
    }
    pending_.push_back(std::move(made));
  }

  void advance(std::vector<Expansion>& finished) override { finished.swap(pending_); }

 private:
  std::size_t children_;
  std::vector<Expansion> pending_;
};

struct Totals {
  double iterations = 0, children = 0, nodes = 0, bytes = 0, trees = 0;
};

Totals search_all(const SearchOptions& options, std::size_t trees, std::size_t children,
                  std::size_t in_flight) {
  std::vector<std::uint64_t> ids(trees);
  for (std::size_t k = 0; k < trees; ++k) ids[k] = k;
  ListWork work(ids);
  FreeExpander expander(children);
  Totals totals;
  SearchPool pool(options, in_flight, expander, work, [&](TreeSearch&& search) {
    totals.iterations += static_cast<double>(search.counts().iterations);
    totals.children += static_cast<double>(search.counts().children);
    totals.nodes += search.tree().size();
    totals.bytes += static_cast<double>(search.tree().bytes_held());
    totals.trees += 1;
  });
  pool.run();
  return totals;
}

void measure(char** words) {
  const std::size_t trees = std::stoul(words[1]), children = std::stoul(words[3]);
  const std::string mode = words[5];
  SearchOptions options;
  options.iterations = static_cast<std::uint32_t>(std::stoul(words[2]));
  if (mode == "new") {
    options.iteration_end = IterationEnd::kNewNode;
    options.depth_limit = 1000;
    options.commits = 1;
  } else if (mode != "terminal") {
    throw std::invalid_argument("the mode is new or terminal");
  }
  search_all(options, std::min<std::size_t>(trees, 16), children, std::stoul(words[4]));
  const double begin = base::cpu_now();
  const Totals totals = search_all(options, trees, children, std::stoul(words[4]));
  const double seconds = base::cpu_now() - begin;
  fmt::print(
      "{{\"simulations_per_s\": {}, \"children_per_s\": {}, \"bytes_per_node\": {}, "
      "\"nodes_per_tree\": {}}}\n",
      totals.iterations / seconds, totals.children / seconds, totals.bytes / totals.nodes,
      totals.nodes / totals.trees);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 6) {
      throw std::invalid_argument(
          "usage: search_bench TREES ITERATIONS CHILDREN IN_FLIGHT new|terminal");
    }
    measure(argv);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "search_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
