// Two states with different dynamics must never share an observation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/file.hpp"
#include "env/mujoco_model.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

// A point of a task's state: positions, velocities, places of targets; and what is observed there.
// Directions of the state are the model's degrees of freedom, their velocities, and the coordinates
// of mocap bodies that differ from start to start.
class Observer {
 public:
  explicit Observer(const std::string& task) : env_(make_env(task, 1)) {
    model_ = load_model(base::data_file("mjcf/" + model_file(task)));
    data_.reset(mj_makeData(model_.get()));
    std::vector<double> first;
    for (std::uint32_t seed = 0; seed < 4; ++seed) {
      base::Stream stream(seed, base::Purpose::kTest, 0, 0);
      env_->reset(0, stream);
      state_ = state_of(*env_, 0);
      mj_setState(model_.get(), data_.get(), state_.data(), mjSTATE_INTEGRATION);
      const std::vector<double> targets(data_->mocap_pos, data_->mocap_pos + 3 * model_->nmocap);
      if (seed == 0) first = targets;
      for (int i = 0; i < 3 * model_->nmocap; ++i) {
        if (targets[i] != first[i] && std::count(moved_.begin(), moved_.end(), i) == 0) {
          moved_.push_back(i);
        }
      }
    }
  }

  std::size_t directions() const {
    return 2 * static_cast<std::size_t>(model_->nv) + moved_.size();
  }
  /// Hinges' angles are the only numbers that come back to the same after a turn. Those of legs do
  /// not: limits and springs tell turns apart, and their angles are shown as they are.
  bool is_angle(std::size_t i) const {
    if (i >= static_cast<std::size_t>(model_->nv)) return false;
    const int joint = model_->dof_jntid[i];
    return model_->jnt_type[joint] == mjJNT_HINGE && !(on_ground() && model_->jnt_limited[joint]);
  }
  bool is_velocity(std::size_t i) const {
    const auto nv = static_cast<std::size_t>(model_->nv);
    return i >= nv && i < 2 * nv;
  }
  /// Independent directions of the state that nothing depends on: the place on endless ground, and
  /// the bearing of a free body (turned together with its velocity).
  std::size_t without_effect() const {
    if (!on_ground()) return 0;
    return mj_name2id(model_.get(), mjOBJ_JOINT, "root_y") >= 0 ? 1 : 3;
  }
  /// From now on the point is a random one.
  void go_anywhere(base::Stream& stream) {
    std::vector<double> step(directions());
    for (std::size_t i = 0; i < step.size(); ++i) {
      const bool target = i >= 2 * static_cast<std::size_t>(model_->nv);
      step[i] = target ? stream.uniform(-0.2, 0.2) : stream.uniform(-2.5, 2.5);
    }
    state_ = shifted(step);
  }
  /// What is observed a step away from the point along one direction.
  std::vector<float> observe(std::size_t direction, double length) {
    std::vector<double> step(directions());
    step[direction] = length;
    env_->load(0, shifted(step));
    return observation_of(*env_, 0);
  }

 private:
  bool on_ground() const { return mj_name2id(model_.get(), mjOBJ_GEOM, "ground") >= 0; }
  std::vector<double> shifted(const std::vector<double>& step) {
    std::vector<double> state = state_;
    mj_setState(model_.get(), data_.get(), state.data(), mjSTATE_INTEGRATION);
    mj_integratePos(model_.get(), data_->qpos, step.data(), 1);
    for (int i = 0; i < model_->nv; ++i) data_->qvel[i] += step[model_->nv + i];
    for (std::size_t i = 0; i < moved_.size(); ++i) {
      data_->mocap_pos[moved_[i]] += step[2 * static_cast<std::size_t>(model_->nv) + i];
    }
    mj_getState(model_.get(), data_.get(), state.data(), mjSTATE_INTEGRATION);
    return state;
  }

  struct Deleter {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };
  std::unique_ptr<BatchEnv> env_;
  ModelPointer model_;
  std::unique_ptr<mjData, Deleter> data_;
  std::vector<int> moved_;
  std::vector<double> state_;  ///< as env_ saves it
};

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

class Observability : public testing::TestWithParam<std::string> {};

struct Column {
  bool velocity;  ///< of a velocity's direction
  std::vector<double> values;
};

double dot(const Column& a, const Column& b) {
  return std::inner_product(a.values.begin(), a.values.end(), b.values.begin(), 0.0);
}

// The observation's derivative by each direction of the state.
std::vector<Column> derivative(Observer& observer) {
  constexpr double kStep = 1e-2;
  std::vector<Column> columns;
  for (std::size_t i = 0; i < observer.directions(); ++i) {
    const std::vector<float> high = observer.observe(i, kStep), low = observer.observe(i, -kStep);
    Column column{observer.is_velocity(i), {}};
    for (std::size_t k = 0; k < high.size(); ++k) {
      column.values.push_back((high[k] - low[k]) / (2 * kStep));
    }
    columns.push_back(column);
  }
  return columns;
}

// Nearby: the derivative has full column rank but for what has no effect. Gram-Schmidt, velocities
// first since a turn changes how they are seen, then the longest remainder; each taken must be well
// above the rounding of float observations.
TEST_P(Observability, NoDirectionOfTheStateIsHidden) {
  Observer observer(GetParam());
  base::Stream stream(5, base::Purpose::kTest, 0, 0);
  for (int trial = 0; trial < 20; ++trial) {
    observer.go_anywhere(stream);
    std::vector<Column> left = derivative(observer);
    while (left.size() > observer.without_effect()) {
      const auto next =
          std::max_element(left.begin(), left.end(), [](const Column& a, const Column& b) {
            return a.velocity == b.velocity ? dot(a, a) < dot(b, b) : b.velocity;
          });
      const Column taken = *next;
      const double squared = dot(taken, taken);
      ASSERT_GT(std::sqrt(squared), 0.1) << "with " << left.size() << " directions to go";
      left.erase(next);
      for (Column& each : left) {
        const double share = dot(each, taken) / squared;
        for (std::size_t k = 0; k < each.values.size(); ++k) {
          each.values[k] -= share * taken.values[k];
        }
      }
    }
    for (const Column& each : left) ASSERT_LT(std::sqrt(dot(each, each)), 2e-3) << "has an effect";
  }
}

// Far away: angles a whole turn apart look the same, all others do not.
TEST_P(Observability, AnglesAreSeenOnTheWholeCircle) {
  Observer observer(GetParam());
  base::Stream stream(6, base::Purpose::kTest, 0, 0);
  observer.go_anywhere(stream);
  constexpr int kAngles = 48;
  for (std::size_t i = 0; i < observer.directions(); ++i) {
    if (!observer.is_angle(i)) continue;
    std::vector<std::vector<float>> seen;
    for (int k = 0; k < kAngles; ++k) {
      seen.push_back(observer.observe(i, 2 * std::numbers::pi * k / kAngles));
    }
    for (int a = 0; a < kAngles; ++a) {
      for (int b = 0; b < a; ++b) {
        ASSERT_GT(distance(seen[static_cast<std::size_t>(a)], seen[static_cast<std::size_t>(b)]),
                  0.1);
      }
    }
    EXPECT_LT(distance(observer.observe(i, 2 * std::numbers::pi), seen[0]), 1e-5);
  }
}

std::vector<std::string> mujoco_tasks() {
  std::vector<std::string> names = task_names();
  std::erase_if(names, [](const std::string& name) { return model_file(name).empty(); });
  return names;
}

INSTANTIATE_TEST_SUITE_P(Tasks, Observability, testing::ValuesIn(mujoco_tasks()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace tenfold::env
