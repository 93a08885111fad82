#include "a3c/film/film.hpp"

#include <algorithm>

#include "a3c/actor.hpp"
#include "a3c/evaluation.hpp"
#include "a3c/networks.hpp"
#include "rl/film/frame_writer.hpp"
#include "rl/film/stored_run.hpp"

namespace tenfold::a3c {

namespace {

// Parameters of the newest checkpoint that is whole.
struct Policy {
  at::Tensor parameters;
  std::uint64_t evaluation = 1;  ///< the last before it
};

Policy load_policy(const std::filesystem::path& run, const Networks& networks, rl::Film& film) {
  Policy policy;
  rl::read_newest_checkpoint(run, film.warnings, [&](const rl::StoredCheckpoint& stored) {
    policy = {stored.flat("model", networks.layout()),
              std::max<std::uint64_t>(1, stored.number("progress/evaluations"))};
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
      options.run, "a3c", [&](cli::OptionTable& table) { config.declare(table); });
  const std::unique_ptr<env::BatchEnv> envs = make_envs(config, 1);
  const std::unique_ptr<rl::Camera> camera = rl::make_camera(*envs);
  const Networks networks(config, envs->spec());
  rl::Film film;
  film.task = config.task;
  const Policy policy = load_policy(options.run, networks, film);
  Passes passes(networks, 1, 1, at::kCPU, false);
  std::vector<float> memory(static_cast<std::size_t>(networks.state_size()));
  rl::make_film(
      options, *envs, *camera,
      [&](std::int64_t number) {
        base::Stream start(seed, base::Purpose::kEvaluationReset,
                           static_cast<std::uint32_t>(number), policy.evaluation);
        envs->reset(0, start);
        std::fill(memory.begin(), memory.end(), 0.0F);
      },
      [&](std::int64_t number, std::int64_t t, std::vector<float>& action) {
        passes.observe(0, *envs);
        passes.set_states(0, memory);
        passes.forward(0, policy.parameters);
        passes.get_states(1, memory);
        base::Stream stream =
            policy_stream(seed, static_cast<std::uint32_t>(number), policy.evaluation, t);
        policy_action(config, networks.head(), passes.outputs(0, 0), stream, action);
      },
      film);
  return film;
}

}  // namespace tenfold::a3c
