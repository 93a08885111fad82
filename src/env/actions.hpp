// What every BatchEnv checks before a step.
#pragma once

#include <cstdint>
#include <span>

#include "env/batch_env.hpp"

namespace tenfold::env {

/// Throws Code::kBug for a wrong number of actions, a row outside an episode (running 0) or, of
/// Spec::choices, an action that is none of them; Code::kNumeric for an action that is not a
/// number, naming it.
void check_actions(const Spec& spec, std::span<const float> actions,
                   std::span<const std::uint8_t> running);

}  // namespace tenfold::env
