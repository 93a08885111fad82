// A planar arm with two fingers that takes an object to a target: a ball on the floor, from a fixed
// or a moving base, or a falling block.
#include <algorithm>

#include "env/tasks/parts.hpp"

namespace tenfold::env {

namespace {

enum class Scene { kFixed, kRandom, kFallingBlock };

constexpr double kReach = 0.6;
constexpr double kBallRadius = 0.03;
// Hand down over x = 0.27 m, fingers open, 4 cm free below.
constexpr std::array<double, 5> kPose = {1.4, -1.3, -0.1, -0.2, -0.2};

template <bool kMoving, Scene kScene>
class Gripper final : public Task {
 public:
  std::string model_file() const override {
    if constexpr (kScene == Scene::kFallingBlock) return "blockworld1.xml";
    return kMoving ? "moving_gripper.xml" : "gripper.xml";
  }
  void bind(const mjModel& model) override {
    if constexpr (kMoving) base_ = {model, {"base_x", "base_z"}};
    arm_ = {model, {"shoulder", "elbow", "wrist", "left_finger", "right_finger"}};
    object_ = {model, {"object_x", "object_z", "object_turn"}};
    grasp_ = object_id(model, mjOBJ_SITE, "grasp");
    body_ = object_id(model, mjOBJ_BODY, "object");
    target_ = mocap_id(model, "target");
  }
  void refresh(const mjModel& model, mjData& data) const override { mj_kinematics(&model, &data); }
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    place_object(data, stream);
    if constexpr (kScene != Scene::kFixed) place_target(data, stream);
    const auto fall_back = [&] { place_hand(data, 0, stream); };
    if constexpr (kScene == Scene::kFixed) {
      start_free(
          model, data, [&] { place_hand(data, 0.1, stream); }, fall_back);
    } else {
      start_free(
          model, data, [&] { place_hand_anywhere(data, stream); }, fall_back);
    }
  }
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    if constexpr (kMoving) base_.write_positions(data, write);
    arm_.write_positions(data, write);
    write.angle(data.qpos[object_[2].qpos]);
    write.difference(object(data), hand(data), "xz");
    write.difference(target(data), object(data), "xz");
    if constexpr (kMoving) base_.write_velocities(data, write);
    arm_.write_velocities(data, write);
    object_.write_velocities(data, write);
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

  // Where a fixed base reaches the floor on one side, or anywhere near a moving one.
  void place_object(mjData& data, base::Stream& stream) const {
    constexpr double kSide = kMoving ? -0.3 : 0.27;
    double x = kSide, z = kBallRadius, turn = 0;
    if constexpr (kScene != Scene::kFixed) {
      const double reach = kMoving ? stream.uniform(0, 0.6) : stream.uniform(0.15, 0.32);
      x = stream.uniform() < 0.5 ? -reach : reach;
    }
    if constexpr (kScene == Scene::kFallingBlock) {
      z = stream.uniform(0.9, 1.2);
      turn = stream.uniform(-mjPI, mjPI);
    }
    data.qpos[object_[0].qpos] = x;
    data.qpos[object_[1].qpos] = z;
    data.qpos[object_[2].qpos] = turn;
  }
  // In the air, where the hand of a base in its middle position can be.
  void place_target(mjData& data, base::Stream& stream) const {
    const double angle = stream.uniform(-1.2, 1.2), radius = stream.uniform(0.25, 0.45);
    const double aside = kMoving ? stream.uniform(-0.3, 0.3) : 0.0;
    data.mocap_pos[3 * target_] = aside + radius * std::sin(angle);
    data.mocap_pos[3 * target_ + 2] = 0.5 - 0.8 * radius * std::cos(angle);
  }
  void place_hand(mjData& data, double noise, base::Stream& stream) const {
    if constexpr (kMoving) base_.place_near(data, {0, 0}, noise, stream);
    arm_.place_near(data, kPose, noise, stream);
  }
  void place_hand_anywhere(mjData& data, base::Stream& stream) const {
    if constexpr (kMoving) base_.place_anywhere(data, stream);
    arm_.place_anywhere(data, stream);
  }

  Joints<2> base_;
  Joints<5> arm_;
  Joints<3> object_;
  int grasp_ = 0, body_ = 0, target_ = 0;
};

template <bool kMoving, Scene kScene>
TaskEntry entry(const std::string& name, const std::string& summary) {
  return {{.name = name,
           .summary = summary,
           .source = "the paper's; numbers ours",
           .observation_size = kMoving ? 28U : 24U,
           .action_size = kMoving ? 7U : 5U,
           .action_repeat = 2,
           .control_dt = 0.02},
          "",
          500,
          make_task<Gripper<kMoving, kScene>>};
}

}  // namespace

std::vector<TaskEntry> gripper_tasks() {
  return {entry<false, Scene::kFixed>("gripper", "grip a ball and take it to one target"),
          entry<false, Scene::kRandom>("gripperRandom",
                                       "grip a ball and take it to a target, all "
                                       "random"),
          entry<true, Scene::kFixed>("movingGripper",
                                     "grip a ball from a moving base and take it to one target"),
          entry<true, Scene::kRandom>("movingGripperRandom",
                                      "grip a ball from a moving base and take it to a target, all "
                                      "random"),
          entry<false, Scene::kFallingBlock>("blockworld1",
                                             "catch a falling block and take it to a target in the "
                                             "air")};
}

}  // namespace tenfold::env
