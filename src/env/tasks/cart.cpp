// A cart on a rail, started anywhere with any speed: bring it to the middle and stop it.
#include "env/tasks/task.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

class Cart final : public Task {
 public:
  std::string model_file() const override { return "cart.xml"; }
  void bind(const mjModel& model) override { slider_ = joint_address(model, "slider"); }
  void refresh(const mjModel&, mjData&) const override {}
  void start(const mjModel&, mjData& data, base::Stream& stream) const override {
    data.qpos[slider_.qpos] = stream.uniform(-1.5, 1.5);
    data.qvel[slider_.qvel] = stream.uniform(-1, 1);
  }
  void observe(const mjData& data, float* observation) const override {
    observation[0] = static_cast<float>(data.qpos[slider_.qpos]);
    observation[1] = static_cast<float>(data.qvel[slider_.qvel]);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double centred = tolerance(data.qpos[slider_.qpos], 0, 0, 1);
    const double slow = (1 + tolerance(data.qvel[slider_.qvel], 0, 0, 2)) / 2;
    return centred * slow * small_control(model, data);
  }

 private:
  JointAddress slider_;
};

}  // namespace

std::vector<TaskEntry> cart_tasks() {
  return {{{.name = "cart",
            .summary = "bring the cart to the middle and stop it",
            .source = "the paper's; reward ours",
            .observation_size = 2,
            .action_size = 1,
            .action_repeat = 2,
            .control_dt = 0.01},
           "",
           1000,
           make_task<Cart>}};
}

}  // namespace tenfold::env
