// The search's options: what a run says, and what the library is told.
#pragma once

#include <cstdint>

#include "cli/option_table.hpp"
#include "mcts_dpo/config.hpp"
#include "search/options.hpp"

namespace tenfold::mcts_dpo {

/// Options of several paths, several searches, hidden outcomes and alike siblings, into the group
/// "search".
void declare_search_rules(Config& config, cli::OptionTable& table);
/// Throws Code::kUsage for those that make no sense together.
void validate_search_rules(const Config& config);

search::SearchOptions search_options(const Config& config, std::uint32_t seed);

/// Whether the search must not see the right answers.
inline bool outcomes_hidden(const Config& config) {
  return config.outcomes == "hidden";
}

}  // namespace tenfold::mcts_dpo
