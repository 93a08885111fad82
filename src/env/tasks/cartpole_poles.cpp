// Two or three poles on a cart: side by side, to be kept upright, or in a chain, to be swung up.
#include <algorithm>
#include <numbers>

#include "env/tasks/parts.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

namespace {

enum class Poles { kParallel, kSerial };

template <Poles kPoles, std::size_t kCount>
class CartpolePoles final : public Task {
 public:
  std::string model_file() const override {
    return std::string("cartpole_") + (kPoles == Poles::kParallel ? "parallel_" : "serial_") +
           (kCount == 2 ? "double.xml" : "triple.xml");
  }
  void bind(const mjModel& model) override {
    constexpr const char* kNames[] = {"hinge_1", "hinge_2", "hinge_3"};
    std::array<const char*, kCount> names{};
    std::copy_n(kNames, kCount, names.begin());
    slider_ = joint_address(model, "slider");
    hinges_ = {model, names};
  }
  void refresh(const mjModel&, mjData&) const override {}
  void start(const mjModel&, mjData& data, base::Stream& stream) const override {
    if constexpr (kPoles == Poles::kSerial) {
      data.qpos[slider_.qpos] = 0.01 * stream.normal();
      for (std::size_t i = 0; i < kCount; ++i) {
        data.qpos[hinges_[i].qpos] =
            i == 0 ? std::numbers::pi + 0.01 * stream.normal() : 0.1 * stream.normal();
      }
    } else {
      data.qpos[slider_.qpos] = stream.uniform(-0.1, 0.1);
      for (std::size_t i = 0; i < kCount; ++i) {
        data.qpos[hinges_[i].qpos] = stream.uniform(-0.034, 0.034);
      }
    }
    data.qvel[slider_.qvel] = 0.01 * stream.normal();
    for (std::size_t i = 0; i < kCount; ++i) data.qvel[hinges_[i].qvel] = 0.01 * stream.normal();
  }
  void observe(const mjData& data, float* observation) const override {
    ObservationWriter write(observation);
    write.number(data.qpos[slider_.qpos]);
    for (const double angle : angles(data)) write.angle(angle);
    write.number(data.qvel[slider_.qvel]);
    hinges_.write_velocities(data, write);
  }
  double reward(const mjModel& model, const mjData& data) const override {
    double upright = 0, slow = 1;
    for (const double angle : angles(data)) upright += (1 + std::cos(angle)) / 2 / kCount;
    for (std::size_t i = 0; i < kCount; ++i) {
      slow = std::min(slow, tolerance(data.qvel[hinges_[i].qvel], 0, 0, 5));
    }
    const double centred = (1 + tolerance(data.qpos[slider_.qpos], 0, 0, 2)) / 2;
    return upright * centred * small_control(model, data) * (1 + slow) / 2;
  }

 private:
  // From the upright; the joints of a chain count from the link before.
  std::array<double, kCount> angles(const mjData& data) const {
    std::array<double, kCount> result{};
    double sum = 0;
    for (std::size_t i = 0; i < kCount; ++i) {
      const double own = data.qpos[hinges_[i].qpos];
      sum += own;
      result[i] = kPoles == Poles::kSerial ? sum : own;
    }
    return result;
  }

  JointAddress slider_;
  Joints<kCount> hinges_;
};

template <Poles kPoles, std::size_t kCount>
TaskEntry entry(const std::string& name, const std::string& alias, const std::string& summary,
                const std::string& source) {
  return {{.name = name,
           .summary = summary,
           .source = source,
           .observation_size = 2 + 3 * kCount,
           .action_size = 1,
           .action_repeat = 2,
           .control_dt = 0.01},
          alias,
          1000,
          make_task<CartpolePoles<kPoles, kCount>>};
}

}  // namespace

std::vector<TaskEntry> cartpole_poles_tasks() {
  return {entry<Poles::kParallel, 2>("cartpoleParallelDouble", "",
                                     "keep two poles of different length upright",
                                     "the paper's; numbers ours"),
          entry<Poles::kParallel, 3>("cartpoleParallelTriple", "",
                                     "keep three poles of different length upright",
                                     "the paper's; numbers ours"),
          entry<Poles::kSerial, 2>("cartpoleSerialDouble", "cartpole_two_poles",
                                   "swing up a chain of two poles",
                                   "the paper's; dm_control cartpole-two_poles"),
          entry<Poles::kSerial, 3>("cartpoleSerialTriple", "cartpole_three_poles",
                                   "swing up a chain of three poles",
                                   "the paper's; dm_control cartpole-three_poles")};
}

}  // namespace tenfold::env
