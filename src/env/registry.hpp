// Tasks by name.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "env/batch_env.hpp"

namespace tenfold::env {

/// Of a user's own model (mjcf/mjcf_task.hpp).
struct OwnTask {
  std::string reward;         ///< a formula (mjcf/expression.hpp)
  std::string ends_when;      ///< a formula, not 0 where the task ends the episode; empty: never
  double start_noise = 0.01;  ///< bound of the noise on places (m, rad) and velocities at the start
  double control_dt = 0.02;   ///< seconds of a control step
};

struct EnvOptions {
  std::int64_t horizon = 0;        ///< decisions; 0: the task's own
  std::int64_t action_repeat = 0;  ///< 0: the task's own
  bool terminate_on_fall = true;   ///< tasks that can end early: false turns that into going on
  std::filesystem::path mjcf_folder = {};  ///< empty: the suite's data/mjcf
  OwnTask own = {};                        ///< of tasks mjcf:FILE alone
  std::string settings = {};               ///< of games: "cells=5,apples=3" (settings.hpp)
};

/// Every task of continuous control, in the order of --list-tasks. Needs no model files except
/// where dimensions come from them (a test holds the table's dimensions against the models).
std::vector<Spec> list_tasks();
/// The text of --list-tasks: name, dims, horizon, seconds, source, summary.
std::string task_table();
/// The others, all native: games to be chosen actions in, classic control, mazes; with settings.
std::vector<Spec> list_games();
std::string game_table();

/// "pendulum.xml", in data/mjcf or EnvOptions::mjcf_folder; a user's own file as it was given;
/// empty for a task without MuJoCo. Throws Code::kUsage for an unknown task.
std::string model_file(const std::string& task);

/// Also takes Gymnasium's tasks (gym_task.hpp), Atari's games (atari_task.hpp) and models of the
/// user's own (mjcf/mjcf_task.hpp). Throws Code::kUsage for an unknown task (nearest names, list),
/// Code::kData for a missing or malformed MJCF (MuJoCo's own message with file and line).
std::unique_ptr<BatchEnv> make_env(const std::string& task, std::size_t batch_size,
                                   const EnvOptions& options = {});

}  // namespace tenfold::env
