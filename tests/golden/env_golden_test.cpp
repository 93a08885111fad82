// Every task against Python's mujoco on the same MJCF (make_env.py): states bit for bit,
// observations and rewards against formulas written a second time.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/hash.hpp"
#include "env/mujoco_model.hpp"
#include "env/registry.hpp"

namespace tenfold::env {
namespace {

using Json = nlohmann::json;

constexpr const char* kRecorded = TENFOLD_SOURCE_DIR "/tests/golden/env.json";
constexpr std::size_t kRow = 1;  // of three: neighbours must not matter

Json read(const char* path) {
  std::ifstream file(path);
  return Json::parse(file);
}

const Json& recorded() {
  static const Json json = read(kRecorded);
  return json;
}

// As in make_env.py.
float action(int decision, int motor) {
  return static_cast<float>((5 * decision + 3 * motor + decision * decision / 7) % 17 - 8) / 8;
}

std::string bytes(std::span<const double> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

double largest_difference(std::span<const double> ours, const std::vector<double>& theirs) {
  EXPECT_EQ(ours.size(), theirs.size());
  double largest = 0;
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    largest = std::max(largest, std::abs(ours[i] - theirs[i]));
  }
  return largest;
}

class EnvGolden : public testing::TestWithParam<std::string> {
 protected:
  // Plays the trace of one file through make_env and compares. The tolerance is for states at the
  // checked decisions; 0 asks for the same bits, there and in the digest over all decisions.
  void compare(const Json& golden, double tolerance);
};

void EnvGolden::compare(const Json& golden, double tolerance) {
  ASSERT_EQ(golden.at("mujoco"), mujoco_version())
      << "the golden file was made with another MuJoCo: run tests/golden/make_env.py";
  const Json& task = golden.at("tasks").at(GetParam());
  const auto env =
      make_env(GetParam(), 3, {.action_repeat = task.at("repeat"), .terminate_on_fall = false});
  for (std::size_t row = 0; row < 3; ++row) {
    base::Stream stream(1, base::Purpose::kTest, static_cast<std::uint32_t>(row), 0);
    env->reset(row, stream);
  }
  auto state = task.at("start").get<std::vector<double>>();
  state.push_back(0);  // decisions taken
  ASSERT_EQ(state.size(), env->state_size());
  env->load(kRow, state);

  const std::span<const double> physics(state.data(), state.size() - 1);
  const int width = static_cast<int>(env->spec().action_size);
  std::vector<float> actions(3 * env->spec().action_size);
  std::string all;
  std::size_t check = 0;
  // Where small differences grow, two machines agree for a while only (make_env.py).
  const int decisions = tolerance == 0 ? golden.at("decisions") : task.at("agreed_decisions");
  for (int decision = 0; decision < decisions; ++decision) {
    for (int i = 0; i < width; ++i) {
      actions[static_cast<std::size_t>(width + i)] = action(decision, i);
    }
    env->step(actions);
    env->save(kRow, state);
    all += bytes(physics);
    ASSERT_NEAR(env->rewards()[kRow],
                task.at("rewards").at(static_cast<std::size_t>(decision)).get<double>(), 1e-6)
        << "decision " << decision;
    if (check == task.at("checks").size() || task.at("checks")[check].at("decision") != decision)
      continue;
    const Json& expected = task.at("checks")[check++];
    EXPECT_LE(largest_difference(physics, expected.at("state")), tolerance)
        << "decision " << decision;
    const auto seen = expected.at("observation").get<std::vector<double>>();
    ASSERT_EQ(seen.size(), env->spec().observation_size);
    for (std::size_t i = 0; i < seen.size(); ++i) {
      EXPECT_NEAR(env->observations()[kRow * seen.size() + i], seen[i],
                  1e-6 * (1 + std::abs(seen[i])));
    }
  }
  const std::size_t reached = static_cast<std::size_t>(
      std::count_if(task.at("checks").begin(), task.at("checks").end(),
                    [&](const Json& each) { return each.at("decision").get<int>() < decisions; }));
  EXPECT_EQ(check, reached);
  if (tolerance == 0) {
    EXPECT_EQ(base::sha256_text(all), task.at("states_sha256"))
        << "some state between the checked decisions has other bits than mujoco.mj_step gives";
  }
}

TEST_P(EnvGolden, SameBitsAsPythonMujocoOnThisMachine) {
  const char* path = std::getenv("TENFOLD_ENV_REFERENCE");
  if (path == nullptr) GTEST_SKIP() << "run through ctest, which calls make_env.py first";
  compare(read(path), 0);
}

TEST_P(EnvGolden, AgreesWithTheRecordedFile) {
  compare(recorded(), 1e-8);
}

TEST_P(EnvGolden, RecordedFileIsOfThisModel) {
  const Json& task = recorded().at("tasks").at(GetParam());
  // Equal digests in both files mean equal MJCF; the one made here reads data/mjcf as it is now.
  const char* path = std::getenv("TENFOLD_ENV_REFERENCE");
  if (path == nullptr) GTEST_SKIP() << "run through ctest, which calls make_env.py first";
  EXPECT_EQ(task.at("mjcf_sha256"), read(path).at("tasks").at(GetParam()).at("mjcf_sha256"))
      << "data/mjcf changed: run tests/golden/make_env.py";
}

std::vector<std::string> recorded_names() {
  std::vector<std::string> names;
  for (const auto& [name, task] : recorded().at("tasks").items()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Tasks, EnvGolden, testing::ValuesIn(recorded_names()),
                         [](const auto& each) { return each.param; });

// Tasks without MuJoCo have no peer here.
TEST(EnvGoldenFile, HoldsEveryTaskWithAModel) {
  for (const Spec& spec : list_tasks()) {
    if (model_file(spec.name).empty()) continue;
    EXPECT_TRUE(recorded().at("tasks").contains(spec.name)) << spec.name;
  }
}

}  // namespace
}  // namespace tenfold::env
