// Ranks that do different things in one run: the first learn, the others act for them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "comm/communicator.hpp"
#include "train/run_options.hpp"
#include "train/shard_plan.hpp"

namespace tenfold::train {

struct Roles {
  int learners = 1;          ///< ranks 0 to learners - 1
  int actors = 1;            ///< those after them
  comm::Communicator group;  ///< the ranks with this rank's role, in the order of the world

  bool learner(int rank) const { return rank < learners; }
};

/// Spreads the virtual shards over the learners: the other ranks get a plan without any. learners
/// answers how many of so many ranks learn; where it is empty, or says all, there are no roles.
/// Collective. Throws Code::kUsage, on all ranks, when the shards do not fit or an option does not
/// work with roles.
std::optional<Roles> assign_roles(const comm::Communicator& world, const RunOptions& options,
                                  const std::function<int(int ranks)>& learners, ShardPlan* plan);

}  // namespace tenfold::train
