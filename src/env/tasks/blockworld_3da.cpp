// An arm of seven joints with two fingers that lifts a block to a target in the air.
#include "env/tasks/parts.hpp"

namespace tenfold::env {

namespace {

constexpr double kReach = 0.77, kHalfBlock = 0.025;
// Hand down, 15 cm above the floor at x = 0.45 m, fingers open.
constexpr std::array<double, 9> kPose = {0, -0.5, 0, 1.55, 0, 0.52, 0, -0.2, -0.2};

class Blockworld3da final : public Task {
 public:
  std::string model_file() const override { return "blockworld_3da.xml"; }
  void bind(const mjModel& model) override {
    arm_ = {model,
            {"shoulder_yaw", "shoulder_pitch", "shoulder_roll", "elbow", "wrist_roll",
             "wrist_pitch", "wrist_yaw", "left_finger", "right_finger"}};
    grasp_ = object_id(model, mjOBJ_SITE, "grasp");
    body_ = object_id(model, mjOBJ_BODY, "object");
    const int joint = object_id(model, mjOBJ_JOINT, "object");
    qpos_ = model.jnt_qposadr[joint];
    qvel_ = model.jnt_dofadr[joint];
    target_ = mocap_id(model, "target");
  }
  void refresh(const mjModel& model, mjData& data) const override { mj_kinematics(&model, &data); }
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    mjtNum* block = data.qpos + qpos_;
    block[0] = stream.uniform(0.3, 0.55);
    block[1] = stream.uniform(-0.2, 0.2);
    block[2] = kHalfBlock;
    const double half_turn = stream.uniform(-mjPI, mjPI) / 2;
    block[3] = std::cos(half_turn);
    block[4] = block[5] = 0;
    block[6] = std::sin(half_turn);
    mjtNum* target = data.mocap_pos + 3 * target_;
    target[0] = stream.uniform(0.25, 0.5);
    target[1] = stream.uniform(-0.25, 0.25);
    target[2] = stream.uniform(0.15, 0.45);
    start_free(
        model, data, [&] { arm_.place_near(data, kPose, 0.1, stream); },
        [&] { arm_.place_near(data, kPose, 0, stream); });
  }
  // The block's turn is two columns of its rotation matrix: a quaternion and its negative are one
  // turn.
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    arm_.write_positions(data, write);
    const mjtNum* rotation = data.xmat + 9 * body_;
    for (const int i : {0, 3, 6, 1, 4, 7}) write.number(rotation[i]);
    write.difference(object(data), hand(data));
    write.difference(target(data), object(data));
    arm_.write_velocities(data, write);
    for (int i = 0; i < 6; ++i) write.number(data.qvel[qvel_ + i]);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    return grip_and_place(distance_between(hand(data), object(data)),
                          distance_between(object(data), target(data)), kReach) *
           small_control(model, data);
  }

 private:
  const mjtNum* hand(const mjData& data) const { return data.site_xpos + 3 * grasp_; }
  const mjtNum* object(const mjData& data) const { return data.xpos + 3 * body_; }
  const mjtNum* target(const mjData& data) const { return data.mocap_pos + 3 * target_; }

  Joints<9> arm_;
  int grasp_ = 0, body_ = 0, qpos_ = 0, qvel_ = 0, target_ = 0;
};

}  // namespace

std::vector<TaskEntry> blockworld_3da_tasks() {
  return {{{.name = "blockworld3da",
            .summary = "grip a block with an arm of 7 joints and lift it to a random target",
            .source = "the paper's; numbers ours",
            .observation_size = 45,
            .action_size = 9,
            .action_repeat = 2,
            .control_dt = 0.02},
           "",
           500,
           make_task<Blockworld3da>}};
}

}  // namespace tenfold::env
