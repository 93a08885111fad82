// A planar arm of five joints that must reach around a post.
#include "env/tasks/parts.hpp"

namespace tenfold::env {

namespace {

constexpr double kReach = 0.3, kTargetRadius = 0.02, kTouch = 0.5;

class ReacherObstacle final : public Task {
 public:
  std::string model_file() const override { return "reacher_obstacle.xml"; }
  void bind(const mjModel& model) override {
    joints_ = {model, {"joint_1", "joint_2", "joint_3", "joint_4", "joint_5"}};
    finger_ = object_id(model, mjOBJ_SITE, "finger");
    target_ = mocap_id(model, "target");
    obstacle_ = mocap_id(model, "obstacle");
    post_ = object_id(model, mjOBJ_GEOM, "obstacle");
  }
  // The post stands about half way between base and target, a little to one side.
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    const double angle = stream.uniform(-mjPI, mjPI);
    const double far = stream.uniform(0.16, 0.26), post = far * stream.uniform(0.4, 0.6);
    const double aside = stream.uniform(-0.02, 0.02);
    mjtNum* target = data.mocap_pos + 3 * target_;
    target[0] = far * std::cos(angle);
    target[1] = far * std::sin(angle);
    mjtNum* obstacle = data.mocap_pos + 3 * obstacle_;
    obstacle[0] = post * std::cos(angle) - aside * std::sin(angle);
    obstacle[1] = post * std::sin(angle) + aside * std::cos(angle);
    start_free(
        model, data, [&] { joints_.place_anywhere(data, stream); },
        [&] {
          joints_.place_near(data, {angle + mjPI, 0, 0, 0, 0}, 0, stream);
        });
  }
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    joints_.write_positions(data, write);
    joints_.write_velocities(data, write);
    const mjtNum* finger = data.site_xpos + 3 * finger_;
    write.difference(data.mocap_pos + 3 * target_, finger, "xy");
    write.difference(data.mocap_pos + 3 * obstacle_, finger, "xy");
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double distance =
        distance_between(data.mocap_pos + 3 * target_, data.site_xpos + 3 * finger_);
    return near_goal(distance, kTargetRadius, kReach) * small_control(model, data) -
           (touches_post(data) ? kTouch : 0);
  }

 private:
  bool touches_post(const mjData& data) const {
    for (int i = 0; i < data.ncon; ++i) {
      if (data.contact[i].geom[0] == post_ || data.contact[i].geom[1] == post_) return true;
    }
    return false;
  }

  Joints<5> joints_;
  int finger_ = 0, target_ = 0, obstacle_ = 0, post_ = 0;
};

}  // namespace

std::vector<TaskEntry> reacher_obstacle_tasks() {
  return {
      {{.name = "reacherObstacle",
        .summary = "5 joints, random target behind a post; touching the post costs 0.5, so that "
                   "rewards are in [-0.5, 1]",
        .source = "the paper's; numbers ours",
        .observation_size = 19,
        .action_size = 5,
        .action_repeat = 2,
        .control_dt = 0.02,
        .least_reward = -kTouch},
       "",
       400,
       make_task<ReacherObstacle>}};
}

}  // namespace tenfold::env
