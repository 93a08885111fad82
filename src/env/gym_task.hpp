// Tasks of Python: `gym:HalfCheetah-v5`, or `gym:MODULE:ID` for one that importing MODULE
// registers.
#pragma once

#include <memory>
#include <string>

#include "env/batch_env.hpp"
#include "env/registry.hpp"

namespace tenfold::env {

/// Starts with "gym:".
bool is_gym_task(const std::string& task);

/// Environments of a Gymnasium task in this process's own Python. Observations are flattened to
/// float32, actions scaled from [-1, 1] to the bounds of the action space; an episode's seed is the
/// stream's first 31 bits. Action repeat is 1 and the horizon the task's max_episode_steps unless
/// options say otherwise. An observation or reward that is not finite truncates the row with reward
/// 0 and its last good observation.
///
/// A saved state is the episode's seed and actions; load plays them again and holds what it sees
/// against a digest (restored()). This is exact for every task that its seed determines, MuJoCo's
/// included, where a copy of the integration state is not: derived quantities that the next step
/// reads lag behind it.
///
/// Throws Code::kUsage: no Python or no gymnasium (or a build without them), unknown ID (nearest
/// names), an action space that is not a bounded Box of floats, an observation space that is not a
/// Box, no time limit, options that such tasks do not have. Code::kData, also from reset, step and
/// load: the task raised (with Python's traceback).
std::unique_ptr<BatchEnv> make_gym_batch(const std::string& task, std::size_t size,
                                         const EnvOptions& options);

}  // namespace tenfold::env
