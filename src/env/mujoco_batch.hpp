// A BatchEnv over MuJoCo and a Task: one mjData per row, stepped by mj_step in a plain loop.
//
// MuJoCo's own batch (mjbatch.h) gives the same bits but loads and saves a state row around every
// call: on one thread it costs 0.1 to 0.2 us more per simulation step, measured with MuJoCo 4.0.0
// on our models at 1 to 256 rows (pendulum 0.94 against 0.78 us, reacher 1.17 against 1.02,
// cart-pole 3.57 against 3.39). Ranks are our parallelism, so its threads would not pay for that.
#pragma once

#include <memory>
#include <vector>

#include "env/mujoco_model.hpp"
#include "env/smooth_batch_env.hpp"
#include "env/tasks/task.hpp"

namespace tenfold::env {

/// Looks at simulations while they are stepped, for pictures of every control step.
class StepWatcher {
 public:
  /// After each control step of stable physics. MuJoCo's errors jump out of what calls this: it
  /// must own nothing when it calls MuJoCo, and leave data alone.
  virtual void after_control_step(std::size_t row, const mjData& data) = 0;

 protected:
  ~StepWatcher() = default;
};

class MujocoBatch final : public SmoothBatchEnv {
 public:
  /// may_end false: the task's own ends are ignored. Throws Code::kData when the model does not fit
  /// the task (names, number or range of the motors, a timestep that does not divide
  /// spec.control_dt).
  MujocoBatch(ModelPointer model, std::unique_ptr<Task> task, Spec spec, bool may_end,
              std::size_t size);

  const Spec& spec() const override { return spec_; }
  std::size_t size() const override { return rows_.size(); }
  void reset(std::size_t row, base::Stream& stream) override;
  /// Throws Code::kNumeric for an action that is not a number. Unstable physics (MuJoCo's own
  /// checks, or a bad number in the new state) truncates the row with reward 0 and its last good
  /// observation.
  void step(std::span<const float> actions) override;
  std::span<const float> observations() const override { return observations_; }
  std::span<const float> rewards() const override { return rewards_; }
  std::span<const std::uint8_t> terminal() const override { return terminal_; }
  std::span<const std::uint8_t> truncated() const override { return truncated_; }
  std::uint64_t unstable_count() const override { return unstable_; }
  /// mjSTATE_INTEGRATION and the number of decisions taken.
  std::size_t state_size() const override { return physics_size_ + 1; }
  void save(std::size_t row, std::span<double> state) const override;
  void load(std::size_t row, std::span<const double> state) override;

  const mjModel& model() const { return *model_; }
  const mjData& data(std::size_t row) const { return *rows_[row]; }
  /// Null: nobody watches. The watcher must outlive the steps.
  void watch(StepWatcher* watcher) { watcher_ = watcher; }

  /// Degrees of freedom, their velocities, activations: 2 nv + na.
  std::size_t tangent_size() const override;
  void displace(std::span<double> state, std::span<const double> tangent) const override;
  void difference(std::span<const double> from, std::span<const double> to,
                  std::span<double> tangent) const override;
  std::span<const double> exact_rewards() const override { return exact_rewards_; }

 private:
  void check_model() const;
  void make_rows();
  void begin(std::size_t row);
  void decide(std::size_t row, const float* action);
  bool advance(mjData& data) const;
  void observe(std::size_t row);

  struct DataDeleter {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };

  ModelPointer model_;
  std::unique_ptr<Task> task_;
  Spec spec_;
  bool may_end_;
  bool scaled_;            ///< actions, to the motors' ranges
  std::int64_t substeps_;  ///< simulation steps per control step
  bool begun_;             ///< refresh does the first part of the next simulation step
  std::size_t physics_size_;
  std::vector<std::unique_ptr<mjData, DataDeleter>> rows_;
  std::vector<float> observations_, rewards_;
  std::vector<double> exact_rewards_;
  std::vector<std::uint8_t> terminal_, truncated_, running_;
  std::vector<std::int64_t> decisions_;
  std::uint64_t unstable_ = 0;
  StepWatcher* watcher_ = nullptr;
};

}  // namespace tenfold::env
