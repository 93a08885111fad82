// The tasks of the paper's table of dimensions against ours: dim(a) exactly, dim(s) with every
// difference explained (papers: Lillicrap et al., 2016, supplement, table 2).
#include <gtest/gtest.h>
#include <mujoco/mujoco.h>

#include <algorithm>
#include <ostream>

#include "base/file.hpp"
#include "env/mujoco_model.hpp"
#include "env_play.hpp"

namespace tenfold::env {
namespace {

struct Row {
  const char* name;
  int state, action, observation;  ///< as printed in the paper
  int our_state;                   ///< nq + nv + coordinates of mocap bodies that the task draws
  const char* why = "";            ///< our_state differs because
  int our_action = -1;             ///< only where the paper's number is a misprint
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

// The paper's state of an arm with a target is that of a target with velocities; ours has none.
constexpr const char* kStillTarget = "targets have places, no velocities";
constexpr const char* kFixedTarget = "a target that never moves is no state";
constexpr const char* kDrawnTarget = "the target is drawn: it is state of the episode";

constexpr Row kArms[] = {
    {"cart", 2, 1, 3, 2},
    {"cartpole", 4, 1, 14, 4},
    {"cartpoleBalance", 4, 1, 14, 4},
    {"cartpoleParallelDouble", 6, 1, 16, 6},
    {"cartpoleParallelTriple", 8, 1, 23, 8},
    {"cartpoleSerialDouble", 6, 1, 14, 6},
    {"cartpoleSerialTriple", 8, 1, 23, 8},
    {"pendulum", 2, 1, 3, 2},
    {"reacherSingle", 6, 1, 13, 4, kStillTarget},
    {"fixedReacherSingle", 6, 1, 13, 2, kFixedTarget},
    {"reacherDouble", 6, 1, 13, 6, "", 2},  // printed as reacherSingle's
    {"fixedReacherDouble", 8, 2, 18, 4, kFixedTarget},
    {"reacher", 10, 3, 23, 8, kStillTarget},
    {"fixedReacher", 10, 3, 23, 6, kFixedTarget},
    {"reacherObstacle", 18, 5, 38, 14, "target and post have places, no velocities"},
    {"reacher3daFixedTarget", 20, 7, 61, 14, kFixedTarget},
    {"reacher3daRandomTarget", 20, 7, 61, 17, kStillTarget},
    {"gripper", 18, 5, 43, 16, kFixedTarget},
    {"gripperRandom", 18, 5, 43, 18},
    {"movingGripper", 22, 7, 49, 20, kFixedTarget},
    {"movingGripperRandom", 22, 7, 49, 22},
    {"blockworld1", 18, 5, 43, 18},
    {"blockworld3da", 31, 9, 102, 34, kDrawnTarget},
    {"canada2d", 14, 3, 29, 14},
    {"canada", 22, 7, 62, 22}};

struct Deleter {
  void operator()(mjData* data) const { mj_deleteData(data); }
};

// Coordinates of mocap bodies that differ from start to start.
int drawn_coordinates(const mjModel& model, BatchEnv& env) {
  const std::unique_ptr<mjData, Deleter> data(mj_makeData(&model));
  std::vector<double> first, differs(3 * static_cast<std::size_t>(model.nmocap));
  for (std::uint32_t seed = 0; seed < 4; ++seed) {
    base::Stream stream(seed, base::Purpose::kTest, 0, 0);
    env.reset(0, stream);
    mj_setState(&model, data.get(), state_of(env, 0).data(), mjSTATE_INTEGRATION);
    const std::vector<double> now(data->mocap_pos, data->mocap_pos + 3 * model.nmocap);
    if (seed == 0) first = now;
    for (std::size_t i = 0; i < now.size(); ++i) differs[i] += now[i] != first[i] ? 1 : 0;
  }
  return static_cast<int>(
      std::count_if(differs.begin(), differs.end(), [](double times) { return times > 0; }));
}

class PaperTable : public testing::TestWithParam<Row> {};

TEST_P(PaperTable, Dimensions) {
  const Row& row = GetParam();
  const auto env = make_env(row.name, 1);
  const ModelPointer model = load_model(base::data_file("mjcf/" + model_file(row.name)));
  const int action = row.our_action < 0 ? row.action : row.our_action;
  EXPECT_EQ(env->spec().action_size, static_cast<std::size_t>(action));
  EXPECT_EQ(model->nu, action);
  const int state = model->nq + model->nv + drawn_coordinates(*model, *env);
  EXPECT_EQ(state, row.our_state);
  EXPECT_EQ(state != row.state, *row.why != '\0') << "a difference and its reason go together";
  EXPECT_GE(env->spec().observation_size, static_cast<std::size_t>(state))
      << "an observation shows the whole state";
}

INSTANTIATE_TEST_SUITE_P(Arms, PaperTable, testing::ValuesIn(kArms),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace tenfold::env
