// A planar runner with two legs.
#include <algorithm>
#include <limits>

#include "env/tasks/locomotion.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSpeed = 10;  // m/s, both of dm_control's reward and of the paper's

enum class Joints { kSprings, kLoose };
enum class Reward { kRun, kPaper, kPaperWithHeight };

template <Joints kJoints, Reward kReward>
class Cheetah final : public Task {
 public:
  std::string model_file() const override {
    return kJoints == Joints::kSprings ? "cheetah.xml" : "hard_cheetah.xml";
  }
  void bind(const mjModel& model) override {
    body_.bind(model);
    velocity_ = sensor_address(model, "velocity");
  }
  // As dm_control starts it: any pose of the joints, then 200 steps to come to rest.
  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    randomise_joints(model, data, stream);
    put_on_ground(model, data, body_.z.qpos);
    for (int k = 0; k < 200; ++k) mj_step(&model, &data);
    data.time = 0;
  }
  void refresh(const mjModel& model, mjData& data) const override {
    if constexpr (kReward == Reward::kRun) {
      mj_step1(&model, &data);
    } else {
      mj_forward(&model, &data);
    }
  }
  bool refresh_begins_step() const override { return true; }
  void observe(const mjData& data, float* observation) const override {
    body_.observe(data, observation);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    const double speed = data.sensordata[velocity_];
    if constexpr (kReward == Reward::kRun) {
      return tolerance(speed, kSpeed, kInfinity, kSpeed, Sigmoid::kLinear, 0);
    }
    double sum = std::clamp(speed / kSpeed, -1.0, 1.0) - effort_and_impact(model, data);
    if constexpr (kReward == Reward::kPaperWithHeight) sum += kHeightBonus * tall(data);
    return sum;
  }

  static constexpr double kHeightBonus = 0.1;
  static TaskEntry entry(const std::string& name, const std::string& summary,
                         const std::string& source) {
    const bool papers = kReward != Reward::kRun;
    return {{.name = name,
             .summary = summary,
             .source = source,
             .observation_size = 18,
             .action_size = 6,
             .action_repeat = 2,
             .control_dt = 0.01,
             .least_reward = papers ? -1 - kMostEffortAndImpact : 0,
             .most_reward = kReward == Reward::kPaperWithHeight ? 1 + kHeightBonus : 1},
            "",
            1000,
            make_task<Cheetah>};
  }

 private:
  // 1 where the torso is as high as a standing runner's.
  double tall(const mjData& data) const {
    return tolerance(data.xpos[3 * body_.torso + 2], 0.6, kInfinity, 0.4);
  }

  Planar body_;
  int velocity_ = 0;
};

}  // namespace

std::vector<TaskEntry> cheetah_tasks() {
  const std::string papers = "the paper's; reward ours";
  return {Cheetah<Joints::kSprings, Reward::kRun>::entry(
              "cheetah_run", "run at 10 m/s, springs in the joints", "dm_control cheetah-run"),
          Cheetah<Joints::kSprings, Reward::kPaper>::entry(
              "cheetah", "run, speed less effort and impact: -1.06 to 1", papers),
          Cheetah<Joints::kLoose, Reward::kPaper>::entry(
              "hardCheetah", "the same without springs, less damping: -1.06 to 1", papers),
          Cheetah<Joints::kLoose, Reward::kPaperWithHeight>::entry(
              "hardCheetahNice", "the same and 0.1 for a high torso: -1.06 to 1.1", papers)};
}

}  // namespace tenfold::env
