// A finger beside a body on a hinge: spin it, or turn its tip into a target.
#include "env/tasks/parts.hpp"

namespace tenfold::env {

namespace {

constexpr double kSpinVelocity = 15;  // rad/s, the negative way round
constexpr double kTipRadius = 0.13;   // of the circle on which the tip turns

// dm_control's touch sensors are left out: they tell forces of the step before, which are no part
// of the state, so that a restored environment could not show them.
class Finger : public Task {
 public:
  void bind(const mjModel& model) override {
    joints_ = {model, {"proximal", "distal", "hinge"}};
    tip_ = object_id(model, mjOBJ_SITE, "tip");
  }
  void refresh(const mjModel& model, mjData& data) const override { mj_kinematics(&model, &data); }
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    start_free(
        model, data, [&] { joints_.place_anywhere(data, stream); },
        [&] {
          joints_.place_near(data, {-1, 0, 0}, 0, stream);
        });
  }

 protected:
  void write_joints(const mjData& data, ObservationWriter& write) const {
    joints_.write_positions(data, write);
    joints_.write_velocities(data, write);
  }
  Joints<3> joints_;
  int tip_ = 0;
};

class FingerSpin final : public Finger {
 public:
  std::string model_file() const override { return "finger_spin.xml"; }
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    write_joints(data, write);
  }
  double reward(const mjModel&, const mjData& data) const override {
    return data.qvel[joints_[2].qvel] <= -kSpinVelocity ? 1 : 0;
  }
};

template <int kMillimetres>
class FingerTurn final : public Finger {
 public:
  std::string model_file() const override { return "finger_turn.xml"; }
  void bind(const mjModel& model) override {
    Finger::bind(model);
    target_ = mocap_id(model, "target");
    const int body = object_id(model, mjOBJ_BODY, "spinner");
    hinge_x_ = model.body_pos[3 * body];
    hinge_z_ = model.body_pos[3 * body + 2];
  }
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    Finger::start(model, data, stream);
    const double angle = stream.uniform(-mjPI, mjPI);
    data.mocap_pos[3 * target_] = hinge_x_ + kTipRadius * std::sin(angle);
    data.mocap_pos[3 * target_ + 2] = hinge_z_ + kTipRadius * std::cos(angle);
  }
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    write_joints(data, write);
    write.difference(data.mocap_pos + 3 * target_, data.site_xpos + 3 * tip_, "xz");
    write.number(distance(data) - kRadius);
  }
  double reward(const mjModel&, const mjData& data) const override {
    return distance(data) <= kRadius ? 1 : 0;
  }

 private:
  static constexpr double kRadius = kMillimetres / 1000.0;
  double distance(const mjData& data) const {
    return distance_between(data.mocap_pos + 3 * target_, data.site_xpos + 3 * tip_);
  }
  int target_ = 0;
  double hinge_x_ = 0, hinge_z_ = 0;
};

TaskEntry entry(const std::string& name, const std::string& summary, const std::string& source,
                std::size_t observation_size, std::unique_ptr<Task> (*make)()) {
  return {{.name = name,
           .summary = summary,
           .source = source,
           .observation_size = observation_size,
           .action_size = 2,
           .action_repeat = 2,
           .control_dt = 0.02},
          "",
          1000,
          make};
}

}  // namespace

std::vector<TaskEntry> finger_tasks() {
  return {entry("finger_spin", "spin a body with a finger, reward 0 or 1", "dm_control finger-spin",
                9, make_task<FingerSpin>),
          entry("finger_turn_easy", "turn a body's tip into a target of 7 cm, reward 0 or 1",
                "dm_control finger-turn_easy", 12, make_task<FingerTurn<70>>),
          entry("finger_turn_hard", "turn a body's tip into a target of 3 cm, reward 0 or 1",
                "dm_control finger-turn_hard", 12, make_task<FingerTurn<30>>)};
}

}  // namespace tenfold::env
