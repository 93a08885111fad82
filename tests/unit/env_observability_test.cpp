// Two states with different dynamics must never share an observation.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/file.hpp"
#include "env/mujoco_model.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

const std::map<std::string, std::string> kModels = {{"pendulum", "pendulum"},
                                                    {"cart", "cart"},
                                                    {"cartpole", "cartpole"},
                                                    {"reacher", "reacher"},
                                                    {"reacherDouble", "reacher"},
                                                    {"fixedReacherDouble", "reacher"},
                                                    {"fixedReacherSingle", "reacher_single"},
                                                    {"point", "point_mass"}};

// Writes numbers of a task's state (positions, velocities, place of a random target) and observes.
class Observer {
 public:
  explicit Observer(const std::string& task) : env_(make_env(task, 1)) {
    model_ = load_model(base::data_file("mjcf/" + model_name(task) + ".xml"));
    target_ = model_->nmocap > 0 && task.rfind("fixed", 0) != 0 ? 2 : 0;
    for (int size = 0, bit = 0; (1 << bit) < mjSTATE_MOCAP_POS; ++bit) {
      size = (mjSTATE_INTEGRATION & (1 << bit)) != 0 ? mj_stateSize(model_.get(), 1 << bit) : 0;
      mocap_at_ += static_cast<std::size_t>(size);
    }
    base::Stream stream(1, base::Purpose::kTest, 0, 0);
    env_->reset(0, stream);
    state_ = state_of(*env_, 0);
  }

  std::size_t numbers() const {
    return static_cast<std::size_t>(model_->nq + model_->nv + target_);
  }
  /// Hinges' angles are the only numbers that come back to the same after a turn.
  bool is_angle(std::size_t i) const {
    return i < static_cast<std::size_t>(model_->nq) && model_->jnt_type[i] == mjJNT_HINGE;
  }
  std::vector<float> observe(const std::vector<double>& numbers) {
    const auto moving = static_cast<std::ptrdiff_t>(model_->nq + model_->nv);
    std::copy(numbers.begin(), numbers.begin() + moving, state_.begin() + 1);
    std::copy(numbers.begin() + moving, numbers.end(),
              state_.begin() + static_cast<std::ptrdiff_t>(mocap_at_));
    env_->load(0, state_);
    return observation_of(*env_, 0);
  }
  std::vector<double> random_numbers(base::Stream& stream) const {
    std::vector<double> numbers(this->numbers());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const bool target = i >= static_cast<std::size_t>(model_->nq + model_->nv);
      numbers[i] = target ? stream.uniform(-0.2, 0.2) : stream.uniform(-2.5, 2.5);
    }
    return numbers;
  }

 private:
  static std::string model_name(const std::string& task) {
    const auto exact = kModels.find(task);
    return exact != kModels.end() ? exact->second : kModels.at(task.substr(0, task.find('_')));
  }

  std::unique_ptr<BatchEnv> env_;
  ModelPointer model_;
  int target_ = 0;
  std::size_t mocap_at_ = 0;
  std::vector<double> state_;
};

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

class Observability : public testing::TestWithParam<std::string> {};

// Nearby: the observation's derivative by the state's numbers has full column rank. Gram-Schmidt;
// what is left of each column must be well above the rounding of float observations.
TEST_P(Observability, NoDirectionOfTheStateIsHidden) {
  Observer observer(GetParam());
  base::Stream stream(5, base::Purpose::kTest, 0, 0);
  constexpr double kStep = 1e-2;
  for (int trial = 0; trial < 20; ++trial) {
    const std::vector<double> numbers = observer.random_numbers(stream);
    std::vector<std::vector<double>> basis;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      std::vector<double> up = numbers, down = numbers;
      up[i] += kStep;
      down[i] -= kStep;
      const std::vector<float> high = observer.observe(up), low = observer.observe(down);
      std::vector<double> column(high.size());
      for (std::size_t k = 0; k < column.size(); ++k) column[k] = (high[k] - low[k]) / (2 * kStep);
      for (const auto& each : basis) {
        double dot = 0;
        for (std::size_t k = 0; k < column.size(); ++k) dot += column[k] * each[k];
        for (std::size_t k = 0; k < column.size(); ++k) column[k] -= dot * each[k];
      }
      double norm = 0;
      for (const double each : column) norm += each * each;
      norm = std::sqrt(norm);
      ASSERT_GT(norm, 0.1) << "number " << i << " of the state";
      for (double& each : column) each /= norm;
      basis.push_back(column);
    }
  }
}

// Far away: angles a whole turn apart look the same, all others do not.
TEST_P(Observability, AnglesAreSeenOnTheWholeCircle) {
  Observer observer(GetParam());
  base::Stream stream(6, base::Purpose::kTest, 0, 0);
  const std::vector<double> numbers = observer.random_numbers(stream);
  constexpr int kAngles = 48;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!observer.is_angle(i)) continue;
    std::vector<std::vector<float>> seen;
    std::vector<double> turned = numbers;
    for (int k = 0; k < kAngles; ++k) {
      turned[i] = numbers[i] + 2 * std::numbers::pi * k / kAngles;
      seen.push_back(observer.observe(turned));
    }
    for (int a = 0; a < kAngles; ++a) {
      for (int b = 0; b < a; ++b) {
        ASSERT_GT(distance(seen[static_cast<std::size_t>(a)], seen[static_cast<std::size_t>(b)]),
                  0.1);
      }
    }
    turned[i] = numbers[i] + 2 * std::numbers::pi;
    EXPECT_LT(distance(observer.observe(turned), seen[0]), 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Tasks, Observability, testing::ValuesIn(task_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace tenfold::env
