// A point mass pushed along two axes to the middle of an arena.
#include <cmath>

#include "env/tasks/task.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

constexpr double kArena = 0.29;
constexpr double kTarget = 0.015;

class PointMass final : public Task {
 public:
  std::string model_file() const override { return "point_mass.xml"; }
  void bind(const mjModel& model) override {
    x_ = joint_address(model, "root_x");
    y_ = joint_address(model, "root_y");
  }
  void refresh(const mjModel&, mjData&) const override {}
  void start(const mjModel&, mjData& data, base::Stream& stream) const override {
    data.qpos[x_.qpos] = stream.uniform(-kArena, kArena);
    data.qpos[y_.qpos] = stream.uniform(-kArena, kArena);
  }
  void observe(const mjData& data, float* observation) const override {
    observation[0] = static_cast<float>(data.qpos[x_.qpos]);
    observation[1] = static_cast<float>(data.qpos[y_.qpos]);
    observation[2] = static_cast<float>(data.qvel[x_.qvel]);
    observation[3] = static_cast<float>(data.qvel[y_.qvel]);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double distance = std::hypot(data.qpos[x_.qpos], data.qpos[y_.qpos]);
    return tolerance(distance, 0, kTarget, kTarget) * small_control(model, data);
  }

 private:
  JointAddress x_, y_;
};

}  // namespace

std::vector<TaskEntry> point_mass_tasks() {
  return {{{.name = "point_mass",
            .summary = "move to the middle of the arena",
            .source = "dm_control point_mass-easy",
            .observation_size = 4,
            .action_size = 2,
            .action_repeat = 2,
            .control_dt = 0.02},
           "",
           1000,
           make_task<PointMass>}};
}

}  // namespace tenfold::env
