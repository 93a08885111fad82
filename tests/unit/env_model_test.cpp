// Bad models, bad names, MuJoCo's messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "env/mujoco_guard.hpp"
#include "env/mujoco_model.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

using base::Code;
using testing::HasSubstr;

// What make_env refuses with.
base::Error refusal(const std::string& task, const EnvOptions& options = {}) {
  try {
    make_env(task, 1, options);
  } catch (const base::Error& error) {
    return error;
  }
  ADD_FAILURE() << task << " was accepted";
  return base::Error(Code::kBug, "");
}

TEST(BadModel, Missing) {
  const base::Error error = refusal("pendulum", {.mjcf_folder = "/nonexistent/models"});
  EXPECT_EQ(error.code(), Code::kData);
  EXPECT_THAT(error.message(), HasSubstr("/nonexistent/models/pendulum.xml"));
  EXPECT_THAT(error.hint(), HasSubstr("--mjcf-dir"));
}

TEST(BadModel, MalformedNamesFileLineAndElement) {
  const auto folder = changed_model("cartpole.xml", "<worldbody>", "<worldbody>\n<bodi/>");
  const base::Error error = refusal("cartpole_swingup", {.mjcf_folder = folder});
  EXPECT_EQ(error.code(), Code::kData);
  EXPECT_THAT(error.message(), HasSubstr((folder / "cartpole.xml").string()));
  EXPECT_THAT(error.message(), HasSubstr("bodi"));
  EXPECT_THAT(error.message(), HasSubstr("line 8"));
}

TEST(BadModel, EverythingThatIsNotXml) {
  for (const char* text : {"", "not xml", "<mujoco", "<mujoco/><mujoco/>", "\x01\x02\xff"}) {
    const auto folder = changed_model("pendulum.xml", "<mujoco", "<mujoco");
    std::ofstream(folder / "pendulum.xml") << text;
    EXPECT_EQ(refusal("pendulum", {.mjcf_folder = folder}).code(), Code::kData) << text;
  }
}

TEST(BadModel, DoesNotCompile) {
  const auto folder = changed_model("pendulum.xml", "mass=\"1\"", "mass=\"-1\"");
  const base::Error error = refusal("pendulum", {.mjcf_folder = folder});
  EXPECT_EQ(error.code(), Code::kData);
  EXPECT_THAT(error.message(), HasSubstr("mass"));
}

struct Misfit {
  const char *task, *file, *from, *to, *named;
};

TEST(BadModel, DoesNotFitTheTask) {
  const Misfit misfits[] = {
      {"pendulum", "pendulum.xml", "timestep=\"0.02\"", "timestep=\"0.003\"", "timestep 0.003"},
      {"pendulum", "pendulum.xml", "ctrlrange=\"-1 1\"", "ctrlrange=\"-2 2\"", "[-2, 2]"},
      {"cartpole_swingup", "cartpole.xml", "hinge\" type=\"hinge", "joint\" type=\"hinge",
       "'hinge'"},
      {"reacher_easy", "reacher.xml", "<motor name=\"wrist\" joint=\"wrist\"/>", "", "1 motors"},
      {"reacher_easy", "reacher.xml", "mocap=\"true\"", "", "'target'"},
      {"reacher_easy", "reacher.xml", "site name=\"finger\"", "site name=\"thumb\"", "'finger'"}};
  for (const Misfit& misfit : misfits) {
    const auto folder = changed_model(misfit.file, misfit.from, misfit.to);
    const base::Error error = refusal(misfit.task, {.mjcf_folder = folder});
    EXPECT_EQ(error.code(), Code::kData) << misfit.named;
    EXPECT_THAT(error.message(), HasSubstr(misfit.named));
  }
}

TEST(UnknownTask, NamesTheNearestAndAll) {
  const base::Error error = refusal("cartpole_swingpu");
  EXPECT_EQ(error.code(), Code::kUsage);
  EXPECT_THAT(error.message(), testing::AllOf(HasSubstr("'cartpole_swingpu'"),
                                              HasSubstr("pendulum"), HasSubstr("point_mass")));
  EXPECT_THAT(error.hint(), HasSubstr("cartpole_swingup"));
  EXPECT_THAT(refusal("fixedreachersingle").hint(), HasSubstr("fixedReacherSingle"));
  EXPECT_THAT(refusal("atari").hint(), HasSubstr("--list-tasks"));
  EXPECT_EQ(refusal("").code(), Code::kUsage);
  EXPECT_THAT(refusal("\x1b[2J").message(), testing::Not(HasSubstr("\x1b")));
}

TEST(MujocoMessages, LeaveTheTerminalAndTheFolderAlone) {
  const auto folder = changed_model("pendulum.xml", "gear=\"1\"", "gear=\"1e12\"");
  const auto home = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto env = make_env("pendulum", 1, {.mjcf_folder = folder});
  start_all(*env, 1);
  env->step(std::vector<float>{1});
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_FALSE(std::filesystem::exists(folder / "MUJOCO_LOG.TXT"));
  EXPECT_EQ(env->unstable_count(), 1U) << "there was something to complain about";
  std::filesystem::current_path(home);
}

TEST(MujocoMessages, AnErrorBecomesAnException) {
  route_mujoco_messages();
  int reached = 0;
  try {
    guard_mujoco(
        "reacher",
        [](void* argument) {
          *static_cast<int*>(argument) = 1;
          mju_error("stack of %d bytes is full", 42);
          *static_cast<int*>(argument) = 2;
        },
        &reached);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), Code::kData);
    EXPECT_THAT(error.message(),
                testing::AllOf(HasSubstr("reacher"), HasSubstr("stack of 42 bytes is full")));
  }
  EXPECT_EQ(reached, 1);
}

TEST(MujocoMessages, GuardsNestAndLetOurOwnExceptionsThrough) {
  route_mujoco_messages();
  const auto inner = [](void*) {
    EXPECT_THROW(guard_mujoco(
                     "inner", [](void*) { mju_error("first"); }, nullptr),
                 base::Error);
    mju_error("second");
  };
  EXPECT_THROW(guard_mujoco("outer", inner, nullptr), base::Error);
  EXPECT_THROW(guard_mujoco(
                   "ours", [](void*) { throw std::runtime_error("ours"); }, nullptr),
               std::runtime_error);
  EXPECT_THROW(guard_mujoco(
                   "after", [](void*) { mju_error("third"); }, nullptr),
               base::Error);
}

TEST(MujocoVersion, LibraryAndHeadersAgree) {
  EXPECT_EQ(mujoco_version(), mj_versionString());
}

}  // namespace
}  // namespace tenfold::env
