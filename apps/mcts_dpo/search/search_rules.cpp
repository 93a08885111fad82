#include "mcts_dpo/search/search_rules.hpp"

#include <string>

#include "base/error.hpp"

namespace tenfold::mcts_dpo {

void declare_search_rules(Config& c, cli::OptionTable& table) {
  table
      .add("search.virtual", &c.virtual_mode,
           "how paths of a tree that are under way look to its other paths: loss, or as visits "
           "alone (wu); none: one path at a time")
      .choices({"none", "loss", "wu"});
  table
      .add("search.paths-in-flight", &c.paths_in_flight,
           "paths of a tree under way at a time: fills the batch where trees are few")
      .only_with("search.virtual", {"loss", "wu"})
      .range(1, 4096);
  table
      .add("search.root-searches", &c.root_searches,
           "of --mode evaluate: searches of each question, merged before a step is committed to")
      .range(1, 4096);
  table
      .add("search.outcomes", &c.outcomes,
           "of --mode evaluate: known: searches are rewarded for right answers (an upper bound); "
           "hidden: by self-evaluation alone, as where no answer is known")
      .choices({"known", "hidden"});
  table
      .add("search.dedup-similarity", &c.dedup_similarity,
           "drop samples more alike to a sibling than this, by greedy matching of their last-layer "
           "states (the code: 0.99); 0: only those of the same tokens")
      .range(0, 1);
}

void validate_search_rules(const Config& config) {
  const auto refuse = [](const std::string& what, const std::string& hint) {
    throw base::Error(base::Code::kUsage, what, hint);
  };
  if (config.virtual_mode != "none" && config.paths_in_flight == 1) {
    refuse("--virtual " + config.virtual_mode + " with one path at a time changes nothing",
           "Add --paths-in-flight 4, say");
  }
  const bool measures = config.mode == "evaluate" && config.eval_by == "search";
  if (config.root_searches > 1 && !measures) {
    refuse("--root-searches is of --mode evaluate --eval-by search alone",
           config.mode == "iterate" ? "A round learns from one tree a question: give it more "
                                      "--iterations or --root-breadth"
                                    : "Leave it at 1");
  }
  if (!outcomes_hidden(config)) return;
  if (!measures) {
    refuse("--outcomes hidden is of --mode evaluate --eval-by search alone",
           config.mode == "iterate" ? "Learning from searches needs the right answers: leave it "
                                      "at known"
                                    : "Leave it at known");
  }
  if (config.self_evaluation != "off" && config.reference != "none") {
    refuse("--outcomes hidden, but self-evaluations are shown the right answer",
           "Add --reference none");
  }
  if (config.inject_solution) {
    refuse("--outcomes hidden, but --inject-solution shows the search a right solution",
           "Leave it out");
  }
}

search::SearchOptions search_options(const Config& config, std::uint32_t seed) {
  search::SearchOptions options;
  options.iterations = static_cast<std::uint32_t>(config.iterations_per_root);
  options.first_root_multiplier = static_cast<std::uint32_t>(config.first_root_factor);
  options.depth_limit = static_cast<std::uint32_t>(config.depth_limit);
  options.c_puct = config.c_puct;
  options.official = config.compat == "official";
  options.temperature = config.commit_temperature;
  options.early_stop = config.early_stop;
  options.virtual_mode = config.virtual_mode == "loss" ? search::Virtual::kLoss
                         : config.virtual_mode == "wu" ? search::Virtual::kWatch
                                                       : search::Virtual::kNone;
  options.paths_in_flight = static_cast<std::uint32_t>(config.paths_in_flight);
  options.seed = seed;
  return options;
}

}  // namespace tenfold::mcts_dpo
