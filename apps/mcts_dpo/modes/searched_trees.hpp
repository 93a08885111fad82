// Finished searches of a round, read from its records once for all that look at them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mcts_dpo/config.hpp"
#include "mcts_dpo/modes/round_records.hpp"
#include "search/tree.hpp"

namespace tenfold::mcts_dpo {

/// One question's tree; of several searches (--root-searches) their merged one.
struct SearchedTree {
  search::Tree tree;
  std::vector<search::NodeId> committed;
};

/// Of every question, in their order. Throws Code::kCheckpoint for damaged records.
std::vector<SearchedTree> searched_trees(const Config& config, const RoundRecords& records,
                                         std::uint32_t seed);

/// The id of a question's search number r (from 0): the first one's is the question's own, so that
/// it draws what it draws alone.
constexpr std::uint64_t kSearchBit = 40;
inline std::uint64_t search_id(std::uint64_t question, std::uint64_t r) {
  return question | r << kSearchBit;
}
inline std::uint64_t question_of_search(std::uint64_t id) {
  return id & ((std::uint64_t{1} << kSearchBit) - 1);
}

/// What became of the steps of a round's trees.
struct StepTally {
  std::uint64_t steps = 0;
  std::uint64_t truncated = 0;      ///< cut at a cap
  std::uint64_t truncated_end = 0;  ///< of those: by the solution's cap, not the step's
  std::uint64_t no_opinion = 0;     ///< the self-evaluation was too long, or gave no verdict
};
StepTally step_tally(const Config& config, std::span<const SearchedTree> trees);

/// What to say when more than half of the steps were cut; empty when not.
std::string truncation_warning(const Config& config, const StepTally& tally);

}  // namespace tenfold::mcts_dpo
