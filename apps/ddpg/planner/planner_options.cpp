// The options of ddpg --planner and of normalised scores.
#include <fmt/format.h>

#include "ddpg/config.hpp"

namespace tenfold::ddpg {

void Config::declare_planner(cli::OptionTable& table) {
  table.group("planner", "Planner (plays instead of learning)");
  table
      .add("planner.method", &planner,
           "none, or play --eval-episodes episodes with a planner that knows the dynamics: ilqg as "
           "in the paper, or cem (cross-entropy method)")
      .alias("planner")
      .choices({"none", "ilqg", "cem"});
  table
      .add("planner.lookahead", &planner_lookahead,
           "how far a plan looks ahead; section 8: 0.25-0.6")
      .alias("planner-lookahead")
      .only_with("planner.method", {"ilqg", "cem"})
      .above(0)
      .at_most(60)
      .unit("s");
  table
      .add("planner.iterations", &planner_iterations,
           "improvements of the plan per decision; 0: 1 for ilqg, 2 for cem")
      .alias("planner-iterations")
      .only_with("planner.method", {"ilqg", "cem"})
      .range(0, 1000);
  table.add("planner.samples", &planner_samples, "plans per iteration")
      .alias("planner-samples")
      .only_with("planner.method", {"cem"})
      .range(2, 100000);
  table.add("planner.elite", &planner_elite, "fraction of them that is refitted to")
      .alias("planner-elite")
      .only_with("planner.method", {"cem"})
      .above(0)
      .at_most(1);
  table.add("planner.smoothing", &planner_smoothing, "weight of the old plan in a refit")
      .alias("planner-smoothing")
      .only_with("planner.method", {"cem"})
      .at_least(0)
      .below(1);
  table
      .add("planner.correlation", &planner_correlation,
           "correlation of a plan's noise from one decision to the next")
      .alias("planner-correlation")
      .only_with("planner.method", {"cem"})
      .at_least(0)
      .below(1);
  table
      .add("planner.random-episodes", &planner_random_episodes,
           "episodes of random actions beside the planner's")
      .alias("planner-random-episodes")
      .only_with("planner.method", {"ilqg", "cem"})
      .range(1, 1e6);
  table.add("planner.record", &planner_record, "file of scores that takes the result")
      .alias("planner-record")
      .not_a_result();
}

std::string Config::planner_command(std::uint32_t seed) const {
  std::string command = fmt::format("ddpg --task {} --planner {} --planner-lookahead {:g}", task,
                                    planner, planner_lookahead);
  const auto add = [&command](const char* flag, const auto& value, const auto& usual) {
    if (value != usual) command += fmt::format(" --{} {}", flag, value);
  };
  const Config usual;
  add("planner-iterations", planner_iterations, usual.planner_iterations);
  if (planner == "cem") {
    add("planner-samples", planner_samples, usual.planner_samples);
    add("planner-elite", planner_elite, usual.planner_elite);
    add("planner-smoothing", planner_smoothing, usual.planner_smoothing);
    add("planner-correlation", planner_correlation, usual.planner_correlation);
  }
  add("horizon", horizon, usual.horizon);
  add("repeat", repeat, usual.repeat);
  add("terminate-on-fall", terminate_on_fall, usual.terminate_on_fall);
  add("planner-random-episodes", planner_random_episodes, usual.planner_random_episodes);
  return command + fmt::format(" --eval-episodes {} --seed {}", eval_episodes, seed);
}

}  // namespace tenfold::ddpg
