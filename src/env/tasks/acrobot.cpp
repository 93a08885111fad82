// Two links and a motor at the elbow alone: bring the tip to a target high above.
#include "env/tasks/parts.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

constexpr double kTargetRadius = 0.2;

template <bool kSparse>
class Acrobot final : public Task {
 public:
  std::string model_file() const override { return "acrobot.xml"; }
  void bind(const mjModel& model) override {
    joints_ = {model, {"shoulder", "elbow"}};
    tip_ = object_id(model, mjOBJ_SITE, "tip");
    target_ = object_id(model, mjOBJ_SITE, "target");
  }
  void refresh(const mjModel& model, mjData& data) const override { mj_kinematics(&model, &data); }
  void start(const mjModel&, mjData& data, base::Stream& stream) const override {
    joints_.place_anywhere(data, stream);
  }
  // As dm_control: how far both links point sideways and up, from the vertical each.
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    const double upper = data.qpos[joints_[0].qpos];
    write.angle(upper);
    write.angle(upper + data.qpos[joints_[1].qpos]);
    joints_.write_velocities(data, write);
  }
  double reward(const mjModel&, const mjData& data) const override {
    const double distance =
        distance_between(data.site_xpos + 3 * tip_, data.site_xpos + 3 * target_);
    return tolerance(distance, 0, kTargetRadius, kSparse ? 0 : 1);
  }

 private:
  Joints<2> joints_;
  int tip_ = 0, target_ = 0;
};

template <bool kSparse>
TaskEntry entry(const std::string& name, const std::string& summary, const std::string& source) {
  return {{.name = name,
           .summary = summary,
           .source = source,
           .observation_size = 6,
           .action_size = 1,
           .action_repeat = 2,
           .control_dt = 0.01},
          "",
          1000,
          make_task<Acrobot<kSparse>>};
}

}  // namespace

std::vector<TaskEntry> acrobot_tasks() {
  return {entry<false>("acrobot_swingup", "swing the tip of two links up with the elbow alone",
                       "dm_control acrobot-swingup"),
          entry<true>("acrobot_swingup_sparse",
                      "swing the tip of two links up with the elbow alone, reward 0 or 1",
                      "dm_control acrobot-swingup_sparse")};
}

}  // namespace tenfold::env
