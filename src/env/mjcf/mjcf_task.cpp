#include "env/mjcf/mjcf_task.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "env/mjcf/expression.hpp"
#include "env/mujoco_batch.hpp"

namespace tenfold::env {

using base::Code;
using base::Error;

namespace {

constexpr std::string_view kPrefix = "mjcf:";
constexpr std::int64_t kDefaultHorizon = 500;

std::size_t joint_width(int type) {
  switch (type) {
    case mjJNT_FREE:
      return 7;
    case mjJNT_BALL:
      return 4;
    case mjJNT_HINGE:
      return 2;
    default:
      return 1;
  }
}

std::size_t observation_size(const mjModel& model) {
  std::size_t size = static_cast<std::size_t>(model.nv + model.nsensordata);
  for (int id = 0; id < model.njnt; ++id) size += joint_width(model.jnt_type[id]);
  return size;
}

class MjcfTask final : public Task {
 public:
  MjcfTask(std::string file, OwnTask own) : file_(std::move(file)), own_(std::move(own)) {}

  std::string model_file() const override { return file_; }
  bool scales_controls() const override { return true; }
  void bind(const mjModel& model) override {
    model_ = &model;
    reward_.emplace("--reward", own_.reward, model);
    if (!own_.ends_when.empty()) ends_when_.emplace("--ends-when", own_.ends_when, model);
  }

  void start(const mjModel& model, mjData& data, base::Stream& stream) const override {
    if (model.nkey > 0) mj_resetDataKeyframe(&model, &data, 0);
    const double bound = own_.start_noise;
    for (int id = 0; id < model.njnt; ++id) {
      const int type = model.jnt_type[id];
      if (type != mjJNT_HINGE && type != mjJNT_SLIDE) continue;
      data.qpos[model.jnt_qposadr[id]] += stream.uniform(-bound, bound);
      data.qvel[model.jnt_dofadr[id]] += stream.uniform(-bound, bound);
    }
  }

  void refresh(const mjModel& model, mjData& data) const override { mj_forward(&model, &data); }
  bool refresh_begins_step() const override { return true; }

  void observe(const mjData& data, float* observation) const override {
    for (int id = 0; id < model_->njnt; ++id) {
      const int type = model_->jnt_type[id];
      const mjtNum* const q = data.qpos + model_->jnt_qposadr[id];
      if (type == mjJNT_HINGE) {
        *observation++ = static_cast<float>(std::sin(*q));
        *observation++ = static_cast<float>(std::cos(*q));
      } else {
        for (std::size_t k = 0; k < joint_width(type); ++k) {
          *observation++ = static_cast<float>(q[k]);
        }
      }
    }
    for (int i = 0; i < model_->nv; ++i) *observation++ = static_cast<float>(data.qvel[i]);
    for (int i = 0; i < model_->nsensordata; ++i) {
      *observation++ = static_cast<float>(data.sensordata[i]);
    }
  }

  double reward(const mjModel& model, const mjData& data) const override {
    return reward_->value(model, data);
  }
  bool ended(const mjData& data) const override {
    return ends_when_ && ends_when_->value(*model_, data) != 0;
  }

 private:
  std::string file_;
  OwnTask own_;
  const mjModel* model_ = nullptr;
  std::optional<Expression> reward_, ends_when_;
};

void check_motors(const mjModel& model, const std::string& file) {
  if (model.nu == 0) {
    throw Error(Code::kData, fmt::format("{}: there is no motor, so nothing to learn", file),
                "Add an <actuator>");
  }
  for (int i = 0; i < model.nu; ++i) {
    if (model.actuator_ctrllimited[i] != 0) continue;
    const char* const name = mj_id2name(&model, mjOBJ_ACTUATOR, i);
    throw Error(Code::kData,
                fmt::format("{}: motor {} ({}) has no ctrlrange to scale actions to", file, i,
                            name == nullptr ? "without a name" : name),
                "Give each motor a ctrlrange");
  }
}

void check_timestep(const mjModel& model, const std::string& file, double control_dt) {
  const double steps = control_dt / model.opt.timestep;
  if (std::round(steps) >= 1 && std::abs(steps - std::round(steps)) < 1e-9 * std::round(steps)) {
    return;
  }
  throw Error(Code::kUsage,
              fmt::format("--control-dt {} s is no multiple of the timestep of {}, {} s",
                          control_dt, file, model.opt.timestep),
              "Change either");
}

}  // namespace

bool is_mjcf_task(const std::string& task) {
  return task.compare(0, kPrefix.size(), kPrefix) == 0;
}

std::string mjcf_file(const std::string& task) {
  return task.substr(kPrefix.size());
}

std::unique_ptr<BatchEnv> make_mjcf_batch(const std::string& task, std::size_t size,
                                          const EnvOptions& options) {
  const std::string file = mjcf_file(task);
  const OwnTask& own = options.own;
  if (own.reward.empty()) {
    throw Error(Code::kUsage,
                fmt::format("{} needs a formula for its reward", base::printable(task)),
                "Add --reward, for example --reward 'tol(q.hinge, 0, 0, 1)'");
  }
  ModelPointer model = load_model(file, "Check --mjcf");
  check_motors(*model, base::printable(file));
  check_timestep(*model, base::printable(file), own.control_dt);
  constexpr double kAny = std::numeric_limits<double>::infinity();
  const Spec spec{.name = task,
                  .summary = "a model of the user's own",
                  .source = "the user's",
                  .observation_size = observation_size(*model),
                  .action_size = static_cast<std::size_t>(model->nu),
                  .horizon = options.horizon > 0 ? options.horizon : kDefaultHorizon,
                  .action_repeat = options.action_repeat > 0 ? options.action_repeat : 1,
                  .control_dt = own.control_dt,
                  .least_reward = -kAny,
                  .most_reward = kAny,
                  .can_end = !own.ends_when.empty()};
  return std::make_unique<MujocoBatch>(std::move(model), std::make_unique<MjcfTask>(file, own),
                                       spec, options.terminate_on_fall, size);
}

}  // namespace tenfold::env
