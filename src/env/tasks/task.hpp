// What a MuJoCo task says about itself: start, observation, reward, end.
#pragma once

#include <mujoco/mujoco.h>

#include <memory>
#include <string>
#include <vector>

#include "base/philox.hpp"
#include "env/batch_env.hpp"
#include "env/settings.hpp"

namespace tenfold::env {

/// Stateless after bind: whatever changes from episode to episode is physics state (a target is a
/// mocap body), so that a saved mjData is the whole environment.
class Task {
 public:
  virtual ~Task() = default;
  /// "pendulum.xml".
  virtual std::string model_file() const = 0;
  /// Looks up what it needs by name. Throws Code::kData when the model has no such part.
  virtual void bind(const mjModel& model) = 0;
  /// Whether actions are scaled to the ranges of the motors; else those must be [-1, 1].
  virtual bool scales_controls() const { return false; }
  /// Sets qpos, qvel (zero before) and mocap poses for a new episode.
  virtual void start(const mjModel& model, mjData& data, base::Stream& stream) const = 0;
  /// Brings up to date what observe, reward and ended read beyond qpos, qvel and ctrl: mj_step
  /// leaves derived quantities one simulation step behind. mj_step1 always suffices; tasks that
  /// need less do less; forces of contacts and touch sensors need mj_forward. Also sets external
  /// forces that follow from the saved state, for the next control step. Called after start, load
  /// and every control step.
  virtual void refresh(const mjModel& model, mjData& data) const { mj_step1(&model, &data); }
  /// Whether refresh is mj_step1 or mj_forward: the next simulation step then needs only mj_step2,
  /// which gives the bits of mj_step.
  virtual bool refresh_begins_step() const { return false; }
  /// Writes spec.observation_size floats.
  virtual void observe(const mjData& data, float* observation) const = 0;
  /// Reward of the control step that ended now, in [0, 1] unless the task's summary says otherwise.
  virtual double reward(const mjModel& model, const mjData& data) const = 0;
  /// True when the task itself ends the episode (a fall).
  virtual bool ended(const mjData& /*data*/) const { return false; }
};

/// What a native task is made from.
struct NativeOptions {
  bool may_end = true;     ///< false: tasks that can end early go on
  std::size_t size = 1;    ///< environments
  Settings settings = {};  ///< of the entry's own, all with a value
};

/// For tasks whose rules cannot be played on after an end: throws Code::kUsage when asked to.
void check_may_end(const Spec& spec, const NativeOptions& options);

struct TaskEntry {
  Spec spec;
  std::string alias;                ///< another name (the paper's or dm_control's); empty: none
  std::int64_t control_steps;       ///< of an episode; horizon = control_steps / action_repeat
  std::unique_ptr<Task> (*make)();  ///< null: not a MuJoCo task, make_native makes the environments
  /// Settings may change what the entry's spec says: the spec of what was made counts.
  std::unique_ptr<BatchEnv> (*make_native)(const Spec& spec,
                                           const NativeOptions& options) = nullptr;
  std::vector<Setting> settings = {};  ///< what EnvOptions::settings may say of a native task
};

template <class T>
std::unique_ptr<Task> make_task() {
  return std::make_unique<T>();
}

/// The entries of one family, for the registry.
std::vector<TaskEntry> pendulum_tasks();
std::vector<TaskEntry> cart_tasks();
std::vector<TaskEntry> cartpole_tasks();
std::vector<TaskEntry> reacher_tasks();
std::vector<TaskEntry> point_mass_tasks();
std::vector<TaskEntry> cartpole_poles_tasks();
std::vector<TaskEntry> acrobot_tasks();
std::vector<TaskEntry> ball_in_cup_tasks();
std::vector<TaskEntry> finger_tasks();
std::vector<TaskEntry> reacher_obstacle_tasks();
std::vector<TaskEntry> reacher_3da_tasks();
std::vector<TaskEntry> gripper_tasks();
std::vector<TaskEntry> blockworld_3da_tasks();
std::vector<TaskEntry> canada_tasks();
std::vector<TaskEntry> locomotion_tasks();
std::vector<TaskEntry> racing_tasks();
std::vector<TaskEntry> labyrinth_tasks();
std::vector<TaskEntry> racing_game_tasks();

/// Addresses in qpos and qvel of a named joint with one degree of freedom. Throws Code::kData.
struct JointAddress {
  int qpos = 0, qvel = 0;
};
JointAddress joint_address(const mjModel& model, const char* name);
/// Id of a named object. Throws Code::kData.
int object_id(const mjModel& model, mjtObj type, const char* name);
/// Index in mocap_pos of a named mocap body. Throws Code::kData.
int mocap_id(const mjModel& model, const char* name);

/// (4 + mean_i tol(u_i; 0, margin 1, quadratic, value 0)) / 5: dm_control's factor for small
/// controls.
double small_control(const mjModel& model, const mjData& data);

}  // namespace tenfold::env
