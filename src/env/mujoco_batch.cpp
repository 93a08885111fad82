#include "env/mujoco_batch.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "env/actions.hpp"
#include "env/mjcf/controls.hpp"
#include "env/mujoco_guard.hpp"

namespace tenfold::env {

using base::Code;
using base::Error;

namespace {

// Times that MuJoCo found the state out of bounds; it then resets the simulation by itself.
int bad_numbers(const mjData& data) {
  return data.warning[mjWARN_BADQPOS].number + data.warning[mjWARN_BADQVEL].number +
         data.warning[mjWARN_BADQACC].number;
}

bool any_bad(const mjtNum* values, int count) {
  return std::any_of(values, values + count, [](mjtNum value) { return mju_isBad(value) != 0; });
}

// guard_mujoco with a callable; the callable must own nothing.
template <class Body>
void guard(const Spec& spec, Body body) {
  guard_mujoco(
      spec.name, [](void* argument) { (*static_cast<Body*>(argument))(); }, &body);
}

}  // namespace

MujocoBatch::MujocoBatch(ModelPointer model, std::unique_ptr<Task> task, Spec spec, bool may_end,
                         std::size_t size)
    : model_(std::move(model)),
      task_(std::move(task)),
      spec_(std::move(spec)),
      may_end_(may_end),
      scaled_(task_->scales_controls()),
      substeps_(std::llround(spec_.control_dt / model_->opt.timestep)),
      begun_(task_->refresh_begins_step() && model_->opt.integrator != mjINT_RK4),
      physics_size_(static_cast<std::size_t>(mj_stateSize(model_.get(), mjSTATE_INTEGRATION))),
      rows_(size),
      observations_(size * spec_.observation_size),
      rewards_(size),
      exact_rewards_(size),
      terminal_(size),
      truncated_(size),
      running_(size),
      decisions_(size) {
  check_model();
  task_->bind(*model_);
  guard(spec_, [this] { make_rows(); });
}

void MujocoBatch::check_model() const {
  const std::string file = task_->model_file();
  if (static_cast<std::size_t>(model_->nu) != spec_.action_size) {
    throw Error(Code::kData, fmt::format("task {} has {} actions, but {} has {} motors", spec_.name,
                                         spec_.action_size, file, model_->nu));
  }
  for (int i = 0; i < model_->nu && !task_->scales_controls(); ++i) {
    const mjtNum* range = model_->actuator_ctrlrange + 2 * i;
    if (model_->actuator_ctrllimited[i] != 0 && (range[0] != -1 || range[1] != 1)) {
      throw Error(Code::kData,
                  fmt::format("{}: motor {} takes controls in [{}, {}], actions are in [-1, 1]",
                              file, i, range[0], range[1]),
                  "Set ctrlrange=\"-1 1\" and put the strength into gear");
    }
  }
  const double covered = static_cast<double>(substeps_) * model_->opt.timestep;
  if (std::abs(covered - spec_.control_dt) > 1e-9) {
    throw Error(Code::kData,
                fmt::format("{}: timestep {} s does not divide the control step of task {}, {} s",
                            file, model_->opt.timestep, spec_.name, spec_.control_dt));
  }
}

void MujocoBatch::make_rows() {
  for (auto& row : rows_) row.reset(mj_makeData(model_.get()));
}

void MujocoBatch::observe(std::size_t row) {
  task_->observe(*rows_[row], observations_.data() + row * spec_.observation_size);
}

void MujocoBatch::begin(std::size_t row) {
  guard(spec_, [this, row] { task_->refresh(*model_, *rows_[row]); });
  observe(row);
  rewards_[row] = 0;
  exact_rewards_[row] = 0;
  terminal_[row] = truncated_[row] = 0;
  running_[row] = 1;
}

void MujocoBatch::reset(std::size_t row, base::Stream& stream) {
  mj_resetData(model_.get(), rows_[row].get());
  guard(spec_, [&, this] { task_->start(*model_, *rows_[row], stream); });
  decisions_[row] = 0;
  begin(row);
}

void MujocoBatch::step(std::span<const float> actions) {
  check_actions(spec_, actions, running_);
  guard(spec_, [this, data = actions.data()] {
    for (std::size_t row = 0; row < size(); ++row) decide(row, data + row * spec_.action_size);
  });
}

// One control step; false when the physics went unstable.
bool MujocoBatch::advance(mjData& data) const {
  const int bad_before = bad_numbers(data);
  if (begun_) mj_step2(model_.get(), &data);
  for (std::int64_t k = begun_ ? 1 : 0; k < substeps_; ++k) mj_step(model_.get(), &data);
  // MuJoCo looks at a new state only at the start of the next step, after it has been observed
  // here.
  if (bad_numbers(data) != bad_before || any_bad(data.qpos, model_->nq) ||
      any_bad(data.qvel, model_->nv)) {
    return false;
  }
  task_->refresh(*model_, data);
  return true;
}

void MujocoBatch::decide(std::size_t row, const float* action) {
  mjData& data = *rows_[row];
  for (std::size_t i = 0; i < spec_.action_size; ++i) {
    const double clipped = std::clamp(static_cast<double>(action[i]), -1.0, 1.0);
    data.ctrl[i] = scaled_ ? scaled_control(*model_, static_cast<int>(i), clipped) : clipped;
  }
  double sum = 0, last = 0;
  bool stable = true, ended = false;
  for (std::int64_t taken = 0; taken < spec_.action_repeat && stable && !ended; ++taken) {
    stable = advance(data);
    if (!stable) break;
    if (watcher_ != nullptr) watcher_->after_control_step(row, data);
    last = task_->reward(*model_, data);
    sum += last;
    ended = may_end_ && task_->ended(data);
  }
  if (stable) observe(row);
  const double reward = ended ? last : sum / static_cast<double>(spec_.action_repeat);
  exact_rewards_[row] = stable ? reward : 0;
  rewards_[row] = static_cast<float>(exact_rewards_[row]);
  unstable_ += stable ? 0 : 1;
  ++decisions_[row];
  terminal_[row] = ended;
  truncated_[row] = !ended && (!stable || decisions_[row] >= spec_.horizon);
  running_[row] = terminal_[row] == 0 && truncated_[row] == 0;
}

void MujocoBatch::save(std::size_t row, std::span<double> state) const {
  base::require(state.size() == state_size(), "MujocoBatch::save: wrong state size");
  mj_getState(model_.get(), rows_[row].get(), state.data(), mjSTATE_INTEGRATION);
  state[physics_size_] = static_cast<double>(decisions_[row]);
}

void MujocoBatch::load(std::size_t row, std::span<const double> state) {
  base::require(state.size() == state_size(), "MujocoBatch::load: wrong state size");
  mj_resetData(model_.get(), rows_[row].get());
  mj_setState(model_.get(), rows_[row].get(), state.data(), mjSTATE_INTEGRATION);
  decisions_[row] = static_cast<std::int64_t>(state[physics_size_]);
  begin(row);
}

std::size_t MujocoBatch::tangent_size() const {
  return static_cast<std::size_t>(2 * model_->nv + model_->na);
}

// Positions, velocities and activations follow each other in a state, after the time.
void MujocoBatch::displace(std::span<double> state, std::span<const double> tangent) const {
  base::require(state.size() == state_size() && tangent.size() == tangent_size(),
                "MujocoBatch::displace: wrong size");
  double* qpos = state.data() + mj_stateSize(model_.get(), mjSTATE_TIME);
  mj_integratePos(model_.get(), qpos, tangent.data(), 1);
  double* rest = qpos + model_->nq;
  for (std::size_t i = static_cast<std::size_t>(model_->nv); i < tangent.size(); ++i) {
    *rest++ += tangent[i];
  }
}

void MujocoBatch::difference(std::span<const double> from, std::span<const double> to,
                             std::span<double> tangent) const {
  base::require(
      from.size() == state_size() && to.size() == state_size() && tangent.size() == tangent_size(),
      "MujocoBatch::difference: wrong size");
  const int time = mj_stateSize(model_.get(), mjSTATE_TIME);
  mj_differentiatePos(model_.get(), tangent.data(), 1, from.data() + time, to.data() + time);
  const auto rest = static_cast<std::size_t>(time + model_->nq);
  const auto nv = static_cast<std::size_t>(model_->nv);
  for (std::size_t i = nv; i < tangent.size(); ++i) {
    tangent[i] = to[rest + i - nv] - from[rest + i - nv];
  }
}

}  // namespace tenfold::env
