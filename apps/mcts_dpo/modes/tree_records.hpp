// What a mode keeps of its search trees in the run's folder.
#pragma once

#include <cstdint>
#include <functional>

#include "mcts_dpo/modes/searched_trees.hpp"
#include "mcts_dpo/modes/workshop.hpp"
#include "mcts_dpo/trees/tree_file.hpp"
#include "train/experiment.hpp"

namespace tenfold::mcts_dpo {

/// Seed, reference and prompts; of round 0, by the policy that the run began with.
RoundFacts round_facts(const Config& config, const Workshop& workshop,
                       const train::RunContext& context);

/// A question's tree with the texts of its steps and, where it is known, the truth of each.
void add_tree(const Config& config, const Prompts& prompts, std::uint64_t number,
              const Question& question, const SearchedTree& searched, TreeTable& table);

/// For rank 0: writes what fill puts in the table to the run's folder, when it has one. A file that
/// cannot be written (a full disk) is a warning: trees are for looking at, the run needs none.
void save_trees(train::RunContext& context, const RoundFacts& facts,
                const std::function<void(TreeTable&)>& fill);

}  // namespace tenfold::mcts_dpo
