#include "env/registry.hpp"

#include <algorithm>
#include <initializer_list>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "env/atari_task.hpp"
#include "env/games/games.hpp"
#include "env/gym_task.hpp"
#include "env/mjcf/mjcf_task.hpp"
#include "env/mujoco_batch.hpp"

namespace tenfold::env {

using base::Code;
using base::Error;

namespace {

using Family = std::vector<TaskEntry> (*)();

std::vector<TaskEntry> entries_of(std::initializer_list<Family> families) {
  std::vector<TaskEntry> tasks;
  for (const Family family : families) {
    for (TaskEntry& entry : family()) {
      entry.spec.horizon = entry.control_steps / entry.spec.action_repeat;
      tasks.push_back(std::move(entry));
    }
  }
  return tasks;
}

std::vector<TaskEntry> control_tasks() {
  return entries_of({pendulum_tasks, cart_tasks, cartpole_tasks, reacher_tasks, point_mass_tasks,
                     cartpole_poles_tasks, acrobot_tasks, ball_in_cup_tasks, finger_tasks,
                     reacher_obstacle_tasks, reacher_3da_tasks, gripper_tasks, blockworld_3da_tasks,
                     canada_tasks, locomotion_tasks, racing_tasks});
}

std::vector<TaskEntry> game_tasks() {
  return entries_of({small_games, classic_games, labyrinth_tasks, grid_games, racing_game_tasks});
}

std::vector<TaskEntry> all_tasks() {
  std::vector<TaskEntry> tasks = control_tasks();
  for (TaskEntry& entry : game_tasks()) tasks.push_back(std::move(entry));
  return tasks;
}

std::vector<Spec> specs_of(std::vector<TaskEntry> entries) {
  std::vector<Spec> specs;
  specs.reserve(entries.size());
  for (TaskEntry& entry : entries) specs.push_back(std::move(entry.spec));
  return specs;
}

TaskEntry find_task(const std::string& name) {
  std::vector<std::string> names, accepted;
  for (TaskEntry& entry : all_tasks()) {
    if (entry.spec.name == name || (!name.empty() && entry.alias == name)) return std::move(entry);
    names.push_back(entry.spec.name);
    accepted.push_back(entry.spec.name);
    if (!entry.alias.empty()) accepted.push_back(entry.alias);
  }
  const std::string near = base::nearest(name, accepted);
  throw Error(Code::kUsage,
              fmt::format("unknown task '{}'; there are {}", base::printable(name),
                          base::join(names, ", ")),
              near.empty() ? "See --list-tasks" : fmt::format("Did you mean {}?", near));
}

std::string settings_table(const std::vector<Setting>& settings) {
  std::string text;
  for (const Setting& each : settings) {
    text += fmt::format("{:<26} {}={}: {}\n", "", each.name, each.value, each.help);
  }
  return text;
}

}  // namespace

std::vector<Spec> list_tasks() {
  return specs_of(control_tasks());
}

std::vector<Spec> list_games() {
  return specs_of(game_tasks());
}

std::string game_table() {
  std::string text = fmt::format("{:<24} {:>9} {:>7} {:>7}  {}\n", "task", "sees", "actions",
                                 "horizon", "what (from where)");
  for (const TaskEntry& entry : game_tasks()) {
    const Spec& spec = entry.spec;
    const auto& [height, width, channels] = spec.picture;
    const std::string sees = height > 0 ? fmt::format("{}x{}x{}", height, width, channels)
                                        : fmt::format("{}", spec.observation_size);
    const std::string actions =
        spec.choices > 0 ? fmt::format("{}", spec.choices) : fmt::format("R^{}", spec.action_size);
    text += fmt::format("{:<24} {:>9} {:>7} {:>7}  {} ({}{})\n", spec.name, sees, actions,
                        spec.horizon, spec.summary, spec.source,
                        entry.alias.empty() ? "" : fmt::format("; also called {}", entry.alias));
    text += settings_table(entry.settings);
  }
  text += fmt::format("{:<24} {:>9} {:>7} {:>7}  {}\n", "atari:GAME", "84x84x4", "3 to 18", 27000,
                      "a game of the Atari 2600: atari:pong, atari:ALE/MsPacman-v5 (Mnih et al., "
                      "2015; ROMs of Python's ale-py)");
  return text + settings_table(atari_settings());
}

std::string task_table() {
  std::string text = fmt::format("{:<24} {:>3} {:>3} {:>7} {:>6} {:>7}  {}\n", "task", "obs", "act",
                                 "horizon", "repeat", "seconds", "what (from where)");
  for (const TaskEntry& entry : control_tasks()) {
    const Spec& spec = entry.spec;
    const double seconds = static_cast<double>(spec.horizon * spec.action_repeat) * spec.control_dt;
    text += fmt::format("{:<24} {:>3} {:>3} {:>7} {:>6} {:>7.1f}  {} ({}{})\n", spec.name,
                        spec.observation_size, spec.action_size, spec.horizon, spec.action_repeat,
                        seconds, spec.summary, spec.source,
                        entry.alias.empty() ? "" : fmt::format("; also called {}", entry.alias));
  }
  return text +
         "horizon: decisions per episode; repeat: control steps per decision; seconds: of an "
         "episode\n"
         "gym:ID (or gym:MODULE:ID): any installed Gymnasium task with continuous actions\n"
         "--mjcf FILE --reward FORMULA: a MuJoCo model of your own\n";
}

std::string model_file(const std::string& task) {
  if (is_gym_task(task) || is_atari_task(task)) return "";
  if (is_mjcf_task(task)) return mjcf_file(task);
  const TaskEntry entry = find_task(task);
  return entry.make == nullptr ? "" : entry.make()->model_file();
}

std::unique_ptr<BatchEnv> make_env(const std::string& name, std::size_t batch_size,
                                   const EnvOptions& options) {
  if (is_atari_task(name)) return make_atari_batch(name, batch_size, options);
  if (is_gym_task(name) || is_mjcf_task(name)) Settings(name, {}, options.settings);
  if (is_gym_task(name)) return make_gym_batch(name, batch_size, options);
  if (is_mjcf_task(name)) return make_mjcf_batch(name, batch_size, options);
  TaskEntry entry = find_task(name);
  if (options.action_repeat > 0) {
    entry.spec.action_repeat = options.action_repeat;
    entry.spec.horizon = std::max<std::int64_t>(1, entry.control_steps / options.action_repeat);
  }
  if (options.horizon > 0) entry.spec.horizon = options.horizon;
  const Settings settings(name, entry.settings, options.settings);
  if (entry.make == nullptr) {
    return entry.make_native(entry.spec, {options.terminate_on_fall, batch_size, settings});
  }
  std::unique_ptr<Task> task = entry.make();
  const std::string file = task->model_file();
  ModelPointer model = load_model(
      options.mjcf_folder.empty() ? base::data_file("mjcf/" + file) : options.mjcf_folder / file,
      "Check --mjcf-dir: it must hold the file under this name");
  return std::make_unique<MujocoBatch>(std::move(model), std::move(task), std::move(entry.spec),
                                       options.terminate_on_fall, batch_size);
}

}  // namespace tenfold::env
