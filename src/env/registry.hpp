// Tasks by name.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "env/batch_env.hpp"

namespace tenfold::env {

struct EnvOptions {
  std::int64_t horizon = 0;        ///< decisions; 0: the task's own
  std::int64_t action_repeat = 0;  ///< 0: the task's own
  bool terminate_on_fall = true;   ///< tasks that can end early: false turns that into going on
  std::filesystem::path mjcf_folder = {};  ///< empty: the suite's data/mjcf
};

/// Every task, in the order of --list-tasks. Needs no model files except where dimensions come from
/// them (a test holds the table's dimensions against the models).
std::vector<Spec> list_tasks();
/// The text of --list-tasks: name, dims, horizon, seconds, source, summary.
std::string task_table();

/// "pendulum.xml", in data/mjcf or EnvOptions::mjcf_folder; empty for a task without MuJoCo. Throws
/// Code::kUsage for an unknown task.
std::string model_file(const std::string& task);

/// Also takes Gymnasium's tasks (gym_task.hpp). Throws Code::kUsage for an unknown task (nearest
/// names, list), Code::kData for a missing or malformed MJCF (MuJoCo's own message with file and
/// line).
std::unique_ptr<BatchEnv> make_env(const std::string& task, std::size_t batch_size,
                                   const EnvOptions& options = {});

}  // namespace tenfold::env
