// Replicas must be equal: data-parallel ranks that drift apart are a bug that no metric shows.
#pragma once

#include <cstdint>

#include "comm/communicator.hpp"
#include "store/state_registry.hpp"

namespace tenfold::train {

/// Collective. Compares xxh64 of every replicated float field over all ranks; throws an AgreedError
/// (Code::kBug) naming the first field and rank that differ from rank 0.
void check_replicas(const comm::Communicator& communicator, const store::StateRegistry& registry);

}  // namespace tenfold::train
