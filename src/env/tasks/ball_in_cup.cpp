// A ball on a string under a cup: toss it up and catch it.
#include "env/tasks/parts.hpp"

namespace tenfold::env {

namespace {

constexpr double kString = 0.3;

class BallInCup final : public Task {
 public:
  std::string model_file() const override { return "ball_in_cup.xml"; }
  void bind(const mjModel& model) override {
    joints_ = {model, {"cup_x", "cup_z", "ball_x", "ball_z"}};
    inside_ = object_id(model, mjOBJ_SITE, "inside");
    ball_ = object_id(model, mjOBJ_SITE, "ball");
    const double radius = model.geom_size[3 * object_id(model, mjOBJ_GEOM, "ball")];
    room_x_ = model.site_size[3 * inside_] - radius;
    room_z_ = model.site_size[3 * inside_ + 2] - radius;
  }
  void refresh(const mjModel& model, mjData& data) const override { mj_kinematics(&model, &data); }
  // The ball anywhere below the cup that its string allows.
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    const auto put = [&](double x, double z) {
      data.qpos[joints_[2].qpos] = x;
      data.qpos[joints_[3].qpos] = z;
    };
    const auto draw = [&] {
      const double radius = 0.9 * kString * std::sqrt(stream.uniform());
      const double angle = stream.uniform(-mjPI, 0);
      put(radius * std::cos(angle), radius * std::sin(angle));
    };
    start_free(model, data, draw, [&] { put(0, -0.25); });
  }
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    joints_.write_positions(data, write);
    joints_.write_velocities(data, write);
  }
  double reward(const mjModel&, const mjData& data) const override {
    const mjtNum* ball = data.site_xpos + 3 * ball_;
    const mjtNum* inside = data.site_xpos + 3 * inside_;
    return std::abs(ball[0] - inside[0]) <= room_x_ && std::abs(ball[2] - inside[2]) <= room_z_ ? 1
                                                                                                : 0;
  }

 private:
  Joints<4> joints_;
  int inside_ = 0, ball_ = 0;
  double room_x_ = 0, room_z_ = 0;
};

}  // namespace

std::vector<TaskEntry> ball_in_cup_tasks() {
  return {{{.name = "ball_in_cup_catch",
            .summary = "catch a ball on a string with a cup, reward 0 or 1",
            .source = "dm_control ball_in_cup-catch",
            .observation_size = 8,
            .action_size = 2,
            .action_repeat = 2,
            .control_dt = 0.02},
           "",
           1000,
           make_task<BallInCup>}};
}

}  // namespace tenfold::env
