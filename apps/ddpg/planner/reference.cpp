#include "ddpg/planner/reference.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "env/gym_task.hpp"
#include "env/mujoco_model.hpp"

namespace tenfold::ddpg {

namespace fs = std::filesystem;

namespace {

constexpr const char* kShipped = "planner_scores.h5";

Reference without(std::string problem) {
  Reference reference;
  reference.problem = std::move(problem);
  return reference;
}

}  // namespace

Reference load_reference(const Config& config, const env::Spec& spec) {
  const bool shipped = config.normalise == "auto";
  fs::path path = config.normalise;
  if (shipped && !config.mjcf_dir.empty()) {
    return without(
        "the shipped scores are not for the models in --mjcf-dir; make scores for them "
        "with --planner and --planner-record FILE, then give --normalise FILE");
  }
  if (shipped) {
    try {
      path = base::data_file(kShipped);
    } catch (const base::Error& error) {
      if (error.code() != base::Code::kData) throw;
      return without(error.message());
    }
  }
  Reference reference =
      find_reference(read_scores(path), {spec.name, spec.horizon, spec.action_repeat,
                                         config.terminate_on_fall ? 1 : 0, env::mujoco_version()});
  if (!reference.problem.empty() && env::is_gym_task(spec.name)) {
    reference.problem = "no planner can play a Gymnasium task; say --normalise none";
  } else if (!reference.problem.empty()) {
    reference.problem = fmt::format(
        "{}: {}; make scores with --planner cem --planner-record FILE and the other options of "
        "this "
        "run, then give --normalise FILE, or say --normalise none",
        base::printable(path.string()), reference.problem);
  }
  return reference;
}

}  // namespace tenfold::ddpg
