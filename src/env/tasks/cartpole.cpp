// A pole on a cart: keep it upright, or swing it up from hanging. Angle 0 is upright.
#include <cmath>
#include <numbers>

#include "env/tasks/task.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

enum class Start { kUpright, kHanging };
enum class Reward { kDense, kSparse };

template <Start kStart, Reward kReward>
class Cartpole final : public Task {
 public:
  std::string model_file() const override { return "cartpole.xml"; }
  void bind(const mjModel& model) override {
    slider_ = joint_address(model, "slider");
    hinge_ = joint_address(model, "hinge");
  }
  void refresh(const mjModel&, mjData&) const override {}
  void start(const mjModel&, mjData& data, base::Stream& stream) const override {
    if constexpr (kStart == Start::kHanging) {
      data.qpos[slider_.qpos] = 0.01 * stream.normal();
      data.qpos[hinge_.qpos] = std::numbers::pi + 0.01 * stream.normal();
    } else {
      data.qpos[slider_.qpos] = stream.uniform(-0.1, 0.1);
      data.qpos[hinge_.qpos] = stream.uniform(-0.034, 0.034);
    }
    data.qvel[slider_.qvel] = 0.01 * stream.normal();
    data.qvel[hinge_.qvel] = 0.01 * stream.normal();
  }
  void observe(const mjData& data, float* observation) const override {
    const double angle = data.qpos[hinge_.qpos];
    observation[0] = static_cast<float>(data.qpos[slider_.qpos]);
    observation[1] = static_cast<float>(std::cos(angle));
    observation[2] = static_cast<float>(std::sin(angle));
    observation[3] = static_cast<float>(data.qvel[slider_.qvel]);
    observation[4] = static_cast<float>(data.qvel[hinge_.qvel]);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double x = data.qpos[slider_.qpos];
    const double cosine = std::cos(data.qpos[hinge_.qpos]);
    if constexpr (kReward == Reward::kSparse) return std::abs(x) <= 0.25 && cosine >= 0.995 ? 1 : 0;
    const double centred = (1 + tolerance(x, 0, 0, 2)) / 2;
    const double slow = (1 + tolerance(data.qvel[hinge_.qvel], 0, 0, 5)) / 2;
    return (1 + cosine) / 2 * centred * small_control(model, data) * slow;
  }

 private:
  JointAddress slider_, hinge_;
};

template <Start kStart, Reward kReward>
TaskEntry entry(const std::string& name, const std::string& alias, const std::string& summary,
                const std::string& source) {
  return {{.name = name,
           .summary = summary,
           .source = source,
           .observation_size = 5,
           .action_size = 1,
           .action_repeat = 2,
           .control_dt = 0.01},
          alias,
          1000,
          make_task<Cartpole<kStart, kReward>>};
}

}  // namespace

std::vector<TaskEntry> cartpole_tasks() {
  return {entry<Start::kUpright, Reward::kDense>("cartpole_balance", "cartpoleBalance",
                                                 "keep the pole upright",
                                                 "dm_control cartpole-balance"),
          entry<Start::kHanging, Reward::kDense>("cartpole_swingup", "cartpole",
                                                 "swing the pole up and keep it there",
                                                 "dm_control cartpole-swingup"),
          entry<Start::kUpright, Reward::kSparse>("cartpole_balance_sparse", "",
                                                  "keep the pole upright, reward 0 or 1",
                                                  "dm_control cartpole-balance_sparse"),
          entry<Start::kHanging, Reward::kSparse>("cartpole_swingup_sparse", "",
                                                  "swing the pole up, reward 0 or 1",
                                                  "dm_control cartpole-swingup_sparse")};
}

}  // namespace tenfold::env
