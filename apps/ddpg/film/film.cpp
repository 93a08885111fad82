#include "ddpg/film/film.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "ddpg/networks.hpp"
#include "ddpg/observer.hpp"
#include "env/gym_task.hpp"
#include "env/registry.hpp"
#include "rl/film/frame_writer.hpp"
#include "rl/film/stored_run.hpp"

namespace tenfold::ddpg {

using base::Code;
using base::Error;

namespace {

void refuse_without_pictures(const Config& config) {
  if (config.planner != "none") {
    throw Error(Code::kUsage, "the run played a planner: it has no policy to film",
                "Name a run that learnt");
  }
  if (env::is_gym_task(config.task) || env::model_file(config.task).empty()) {
    throw Error(Code::kUsage,
                fmt::format("{} cannot be filmed: only tasks that MuJoCo simulates here have "
                            "pictures",
                            base::printable(config.task)),
                "See --list-tasks of ddpg");
  }
}

// mu of the newest checkpoint that is whole.
struct Policy {
  at::Tensor parameters, buffers;
  std::uint64_t evaluations = 0;  ///< made before the checkpoint
};

Policy load_policy(const std::filesystem::path& run, const nn::Network& mu, rl::Film& film) {
  Policy policy;
  rl::read_newest_checkpoint(run, film.warnings, [&](const rl::StoredCheckpoint& stored) {
    policy = {stored.flat("model/actor", mu.parameters()), stored.flat("model/actor", mu.buffers()),
              stored.number("progress/evaluations")};
    film.checkpoint = stored.folder;
    film.step = stored.step;
  });
  return policy;
}

}  // namespace

rl::Film make_film(const rl::FilmOptions& options) {
  rl::check_film_name(options.video);
  Config config;
  const std::uint32_t seed = rl::read_run_options(
      options.run, "ddpg", [&](cli::OptionTable& table) { config.declare(table); });
  config.settle();
  refuse_without_pictures(config);
  Observer observer(config, 1, 0);
  const env::Spec& spec = observer.spec();
  const std::unique_ptr<nn::Network> mu =
      make_actor(config, observer.shape(), static_cast<std::int64_t>(spec.action_size));
  rl::Film film;
  film.task = config.task;
  const Policy policy = load_policy(options.run, *mu, film);
  const std::unique_ptr<rl::Camera> camera = rl::make_camera(observer.envs());
  const std::unique_ptr<nn::NetworkPass> pass = mu->make_pass(1, 1, at::kCPU, nn::Gradients::kNone);
  rl::make_film(
      options, observer.envs(), *camera,
      [&](std::int64_t number) {
        base::Stream start(seed, base::Purpose::kEvaluationReset,
                           static_cast<std::uint32_t>(number),
                           std::max<std::uint64_t>(1, policy.evaluations));
        observer.envs().reset(0, start);
      },
      [&](std::int64_t /*number*/, std::int64_t /*t*/, std::vector<float>& action) {
        pass->input()[0].copy_(observer.seen());
        const at::Tensor& chosen =
            pass->forward(policy.parameters, policy.buffers, nn::Mode::kEval);
        std::copy_n(chosen.data_ptr<float>(), action.size(), action.begin());
      },
      film);
  return film;
}

}  // namespace tenfold::ddpg
