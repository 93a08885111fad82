// A user's own model as a task: against closed forms and a plain MuJoCo loop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "env/mjcf/expression.hpp"
#include "env/mjcf/mjcf_task.hpp"
#include "env/mujoco_model.hpp"
#include "env/registry.hpp"

namespace tenfold::env {
namespace {

using ::testing::HasSubstr;

// A slide and a hinge on it; the motors take other ranges than [-1, 1].
constexpr const char* kModel = R"(<mujoco>
  <option timestep="0.005"/>
  <worldbody>
    <body name="cart-1" pos="0 0 0.5">
      <joint name="rail" type="slide" axis="1 0 0"/>
      <geom size="0.1" mass="1"/>
      <body name="pole" pos="0 0 0.1">
        <joint name="hinge" type="hinge" axis="0 1 0"/>
        <geom type="capsule" fromto="0 0 0 0 0 0.6" size="0.02" mass="0.1"/>
        <site name="tip" pos="0 0 0.6"/>
      </body>
    </body>
  </worldbody>
  <actuator>
    <motor name="push" joint="rail" ctrlrange="-2 6"/>
    <motor name="twist" joint="hinge" ctrlrange="0 0.5"/>
  </actuator>
  <sensor><framepos name="where" objtype="site" objname="tip"/><jointvel name="spin" joint="hinge"/></sensor>
  <keyframe><key qpos="0.25 0.5"/></keyframe>
</mujoco>)";

class OwnModel : public ::testing::Test {
 protected:
  std::string write(const std::string& text) const {
    const auto path = std::filesystem::temp_directory_path() /
                      fmt::format("tenfold_own_{}.xml",
                                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::ofstream(path) << text;
    return path.string();
  }
  std::unique_ptr<BatchEnv> make(const EnvOptions& options,
                                 const std::string& text = kModel) const {
    return make_env("mjcf:" + write(text), 1, options);
  }
  static EnvOptions with_reward(const std::string& reward) {
    EnvOptions options;
    options.own.reward = reward;
    return options;
  }
  template <class Body>
  static base::Error error_of(Body body) {
    try {
      body();
    } catch (const base::Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return base::Error(base::Code::kBug, "");
  }
  base::Error refusal(const std::string& reward) const {
    return error_of([&] { make(with_reward(reward)); });
  }
};

TEST_F(OwnModel, ObservesJointsVelocitiesAndSensors) {
  EnvOptions options = with_reward("0");
  options.own.start_noise = 0;
  const auto env = make(options);
  ASSERT_EQ(env->spec().observation_size, 3U + 2U + 4U);
  ASSERT_EQ(env->spec().action_size, 2U);
  base::Stream stream(1, base::Purpose::kEnvReset, 0, 0);
  env->reset(0, stream);
  const auto seen = env->observations();
  // The keyframe, and where that puts the tip.
  const double x = 0.25, angle = 0.5;
  EXPECT_FLOAT_EQ(seen[0], static_cast<float>(x));
  EXPECT_FLOAT_EQ(seen[1], static_cast<float>(std::sin(angle)));
  EXPECT_FLOAT_EQ(seen[2], static_cast<float>(std::cos(angle)));
  EXPECT_EQ(seen[3], 0);
  EXPECT_EQ(seen[4], 0);
  EXPECT_NEAR(seen[5], x + 0.6 * std::sin(angle), 1e-6);
  EXPECT_NEAR(seen[6], 0, 1e-6);
  EXPECT_NEAR(seen[7], 0.6 + 0.6 * std::cos(angle), 1e-6);
  EXPECT_EQ(seen[8], 0);
}

TEST_F(OwnModel, StartNoiseStaysWithinItsBoundAndFollowsTheStream) {
  EnvOptions options = with_reward("0");
  options.own.start_noise = 0.1;
  const auto env = make(options);
  double least = 1, most = -1;
  for (std::uint64_t episode = 0; episode < 200; ++episode) {
    base::Stream stream(1, base::Purpose::kEnvReset, 0, episode);
    env->reset(0, stream);
    least = std::min<double>(least, env->observations()[0]);
    most = std::max<double>(most, env->observations()[0]);
  }
  EXPECT_GE(least, 0.15 - 1e-6);
  EXPECT_LE(most, 0.35 + 1e-6);
  EXPECT_LT(least, 0.16);
  EXPECT_GT(most, 0.34);
}

// Actions are scaled to the ranges, four physics steps make a control step, formulas are of the new
// state: against a loop that knows only MuJoCo.
TEST_F(OwnModel, StepsAsAPlainLoop) {
  EnvOptions options = with_reward(
      "q.rail + 2*v.rail - q.hinge*v.hinge + body.cart_1.x + body.pole.up + site.tip.z + "
      "sensor.where.0 + sensor.spin + u.push - u.twist + 10*effort + time");
  options.own.start_noise = 0;
  const auto env = make(options);
  base::Stream stream(1, base::Purpose::kEnvReset, 0, 0);
  env->reset(0, stream);

  const ModelPointer model = load_model(write(kModel));
  mjData* const data = mj_makeData(model.get());
  mj_resetDataKeyframe(model.get(), data, 0);
  for (int step = 0; step < 10; ++step) {
    const float actions[] = {0.5F - 0.1F * static_cast<float>(step), -0.25F};
    env->step(actions);
    mj_forward(model.get(), data);
    data->ctrl[0] = 2 + 4 * static_cast<double>(actions[0]);
    data->ctrl[1] = 0.25 + 0.25 * static_cast<double>(actions[1]);
    for (int k = 0; k < 4; ++k) mj_step(model.get(), data);
    mj_forward(model.get(), data);
    const double* const q = data->qpos;
    const double* const v = data->qvel;
    const double squares = (actions[0] * actions[0] + actions[1] * actions[1]) / 2;
    const double expected = q[0] + 2 * v[0] - q[1] * v[1] + q[0] + std::cos(q[1]) +
                            (0.6 + 0.6 * std::cos(q[1])) + (q[0] + 0.6 * std::sin(q[1])) + v[1] +
                            data->ctrl[0] - data->ctrl[1] + 10 * squares + 0.02 * (step + 1);
    EXPECT_NEAR(env->rewards()[0], expected, 1e-5 * (1 + std::abs(expected))) << step;
    EXPECT_EQ(env->observations()[3], static_cast<float>(v[0])) << step;
    EXPECT_EQ(env->observations()[4], static_cast<float>(v[1])) << step;
  }
  mj_deleteData(data);
}

TEST_F(OwnModel, ToleranceIsTheSuites) {
  const ModelPointer model = load_model(write(kModel));
  mjData* const data = mj_makeData(model.get());
  data->qpos[0] = 1.5;
  const auto value = [&](const std::string& text) {
    return Expression("--reward", text, *model).value(*model, *data);
  };
  EXPECT_EQ(value("tol(q.rail, 1, 2)"), 1);
  EXPECT_EQ(value("tol(q.rail, 0, 1)"), 0);
  // v^(d^2) at d = 0.5 of the margin.
  EXPECT_NEAR(value("tol(q.rail, -inf, 1, 1)"), std::pow(0.1, 0.25), 1e-12);
  EXPECT_NEAR(value("tol(q.rail, 0, 1, 1, 0.3)"), std::pow(0.3, 0.25), 1e-12);
  EXPECT_EQ(value("q.rail > 1 && q.hinge < 1 ? 3 : 4"), 3);
  mj_deleteData(data);
}

TEST_F(OwnModel, EndsWhenItsFormulaSaysSo) {
  EnvOptions options = with_reward("1");
  options.own.ends_when = "q.rail > 0.3";
  options.own.start_noise = 0;
  const auto env = make(options);
  EXPECT_TRUE(env->spec().can_end);
  base::Stream stream(1, base::Purpose::kEnvReset, 0, 0);
  env->reset(0, stream);
  const float push[] = {1, -1};
  int steps = 0;
  while (env->terminal()[0] == 0 && steps < 100) {
    env->step(push);
    ++steps;
  }
  EXPECT_EQ(env->terminal()[0], 1);
  EXPECT_GT(env->observations()[0], 0.3F);
  EXPECT_GT(steps, 1);
}

TEST_F(OwnModel, AStateComesBackExactly) {
  const auto env = make(with_reward("q.rail"));
  base::Stream stream(7, base::Purpose::kEnvReset, 0, 0);
  env->reset(0, stream);
  const float push[] = {0.3F, 0.7F};
  for (int i = 0; i < 5; ++i) env->step(push);
  std::vector<double> state(env->state_size());
  env->save(0, state);
  std::vector<float> first, again;
  for (std::vector<float>* into : {&first, &again}) {
    for (int i = 0; i < 20; ++i) {
      env->step(push);
      into->insert(into->end(), env->observations().begin(), env->observations().end());
      into->push_back(env->rewards()[0]);
    }
    env->load(0, state);
  }
  EXPECT_EQ(first, again);
}

TEST_F(OwnModel, FormulasThatDoNotReadAreRefusedWithThePlace) {
  const base::Error unknown = refusal("1 - q.hnge^2");
  EXPECT_EQ(unknown.code(), base::Code::kUsage);
  EXPECT_THAT(unknown.what(), HasSubstr("--reward"));
  EXPECT_THAT(unknown.what(), HasSubstr("q.hnge"));
  EXPECT_THAT(unknown.what(), HasSubstr("Did you mean q.hinge?"));
  EXPECT_THAT(refusal("(q.hinge").what(), HasSubstr("(q.hinge"));
  EXPECT_THAT(refusal("tol(q.hinge, 0)").what(), HasSubstr("tol takes x, low, high"));
  EXPECT_THAT(refusal("tol(q.hinge, 2, 1)").what(), HasSubstr("low is above high"));
  EXPECT_EQ(refusal("q.hinge +").code(), base::Code::kUsage);
  EXPECT_THAT(refusal("").what(), HasSubstr("--reward"));
}

TEST_F(OwnModel, ARewardThatIsNotFiniteNamesWhatWentIn) {
  EnvOptions options = with_reward("1 / (q.rail - q.rail)");
  const auto env = make(options);
  base::Stream stream(1, base::Purpose::kEnvReset, 0, 0);
  env->reset(0, stream);
  const float still[] = {0, 0};
  const base::Error error = error_of([&] { env->step(still); });
  EXPECT_EQ(error.code(), base::Code::kNumeric);
  EXPECT_THAT(error.what(), HasSubstr("q.rail = "));
}

TEST_F(OwnModel, ModelsThatCannotBeTasksAreRefused) {
  const auto replaced = [](const std::string& from, const std::string& to) {
    std::string text = kModel;
    return text.replace(text.find(from), from.size(), to);
  };
  const auto refused = [&](const std::string& text) {
    return error_of([&] { make(with_reward("1"), text); });
  };
  const base::Error free_motor = refused(replaced(" ctrlrange=\"0 0.5\"", ""));
  EXPECT_EQ(free_motor.code(), base::Code::kData);
  EXPECT_THAT(free_motor.what(), HasSubstr("twist"));
  EXPECT_THAT(refused(replaced("timestep=\"0.005\"", "timestep=\"0.003\"")).what(),
              HasSubstr("no multiple of the timestep"));
  const base::Error malformed = refused(replaced("<site ", "<sight "));
  EXPECT_EQ(malformed.code(), base::Code::kData);
  EXPECT_THAT(malformed.what(), HasSubstr("tenfold_own_"));
  EXPECT_THAT(malformed.what(), HasSubstr("sight"));
  EXPECT_THAT(malformed.what(), HasSubstr("line 10"));
  EXPECT_EQ(error_of([] { make_env("mjcf:/no/such.xml", 1, with_reward("1")); }).code(),
            base::Code::kData);
}

}  // namespace
}  // namespace tenfold::env
