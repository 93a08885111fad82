// The entries of the native games, for the registry.
#pragma once

#include <vector>

#include "env/tasks/task.hpp"

namespace tenfold::env {

/// Catch and the T-maze.
std::vector<TaskEntry> small_games();
/// CartPole and its kind.
std::vector<TaskEntry> classic_games();
/// Breakout and its kind, on 10 x 10 cells.
std::vector<TaskEntry> grid_games();

}  // namespace tenfold::env
