// Swinging up a pendulum whose motor is too weak to lift it. Angle 0 is upright.
#include <cmath>
#include <numbers>

#include "env/tasks/task.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

using std::numbers::pi;

class Pendulum : public Task {
 public:
  std::string model_file() const override { return "pendulum.xml"; }
  void bind(const mjModel& model) override { hinge_ = joint_address(model, "hinge"); }
  void refresh(const mjModel&, mjData&) const override {}
  void observe(const mjData& data, float* observation) const override {
    observation[0] = static_cast<float>(std::cos(angle(data)));
    observation[1] = static_cast<float>(std::sin(angle(data)));
    observation[2] = static_cast<float>(velocity(data));
  }

 protected:
  double angle(const mjData& data) const { return data.qpos[hinge_.qpos]; }
  double velocity(const mjData& data) const { return data.qvel[hinge_.qvel]; }
  JointAddress hinge_;
};

class HangingPendulum final : public Pendulum {
 public:
  void start(const mjModel&, mjData& data, base::Stream& stream) const override {
    data.qpos[hinge_.qpos] = pi + 0.1 * stream.normal();
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double upright = (1 + std::cos(angle(data))) / 2;
    const double slow = (1 + tolerance(velocity(data), 0, 0, 5)) / 2;
    return upright * slow * small_control(model, data);
  }
};

class PendulumSwingUp final : public Pendulum {
 public:
  void start(const mjModel&, mjData& data, base::Stream& stream) const override {
    data.qpos[hinge_.qpos] = stream.uniform(-pi, pi);
  }
  double reward(const mjModel&, const mjData& data) const override {
    return std::cos(angle(data)) >= kUpright ? 1 : 0;
  }

 private:
  inline static const double kUpright = std::cos(8 * pi / 180);
};

Spec spec(std::string name, std::string summary, std::string source) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .source = std::move(source),
          .observation_size = 3,
          .action_size = 1,
          .action_repeat = 2,
          .control_dt = 0.02};
}

}  // namespace

std::vector<TaskEntry> pendulum_tasks() {
  return {{spec("pendulum", "swing up from hanging, dense reward", "the paper's; reward ours"), "",
           1000, make_task<HangingPendulum>},
          {spec("pendulum_swingup", "swing up from any angle, reward 0 or 1",
                "dm_control pendulum-swingup"),
           "", 1000, make_task<PendulumSwingUp>}};
}

}  // namespace tenfold::env
