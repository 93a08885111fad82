// The planner's returns that a run's own are held against.
#pragma once

#include "ddpg/config.hpp"
#include "ddpg/planner/scores.hpp"
#include "env/batch_env.hpp"

namespace tenfold::ddpg {

/// What config.normalise leads to. Not found, or not made for the task as it is played here: the
/// reason is in problem, with the remedy. Throws as read_scores for a file that was named, and
/// Code::kData for a shipped one that is malformed.
Reference load_reference(const Config& config, const env::Spec& spec);

}  // namespace tenfold::ddpg
