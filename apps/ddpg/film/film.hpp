// Plays a run's policy and films it.
#pragma once

#include "rl/film/film.hpp"

namespace tenfold::ddpg {

/// Without noise. The episodes are those of the newest evaluation before the checkpoint, in its
/// order: with as many of them, their mean return is its eval/return, up to rounding. The sheet
/// shows the first.
///
/// Throws Code::kUsage: a planner's run, a task without pictures, no ffmpeg, no film's name; and as
/// rl::read_run_options, rl::read_newest_checkpoint and rl::make_film.
rl::Film make_film(const rl::FilmOptions& options);

}  // namespace tenfold::ddpg
