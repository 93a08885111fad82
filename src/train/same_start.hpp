// Ranks that were started with different options.
#pragma once

#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace tenfold::train {

/// What a rank was told: its arguments, and its TENFOLD_SECTION__OPTION=value in alphabetical
/// order.
std::vector<std::string> start_words(const std::vector<std::string>& arguments,
                                     const std::vector<std::string>& environment);
/// Only rank 0 reads options, for all: what another one was told would be passed over in silence.
/// Throws Code::kUsage on all ranks, naming a rank and what differs. Collective.
void require_same_start(const comm::Communicator& world, const std::vector<std::string>& words);

}  // namespace tenfold::train
