// What a run can be told, and the presets with the source of each value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/option_table.hpp"

namespace tenfold::a3c {

enum class Method { kActorCritic, kOneStepQ, kOneStepSarsa, kNStepQ };
/// "a3c" | "q" | "sarsa" | "nstep-q". Throws Code::kUsage.
Method method_of(const std::string& word);

/// Section numbers in the help are of Mnih et al. 2016. Defaults are the preset `cartpole`.
struct Config {
  // task
  std::string task = "classic_cartpole";
  std::string settings;
  std::int64_t repeat = 0;
  std::int64_t horizon = 0;
  double reward_scale = 0.01;
  double reward_clip = 0;
  bool timeout_as_terminal = false;
  std::int64_t envs_per_actor = 1;
  // training length
  std::int64_t total_steps = 500000;
  // method
  std::string method = "a3c";
  std::int64_t t_max = 5;
  double gamma = 0.99;
  double gae_lambda = 1;
  double entropy = 0.01;
  double value_coef = 0.5;
  std::int64_t target_period = 10000;
  std::int64_t epsilon_anneal = 100000;
  std::string epsilon_final = "0.1:0.4,0.01:0.3,0.5:0.3";
  // network
  std::vector<std::int64_t> net{128};
  std::string conv = "none";
  std::int64_t lstm = 0;
  double forget_bias = 0;
  std::string engine = "auto";
  // optimizer
  std::string optimizer = "shared-rmsprop";
  double lr = 3e-3;
  std::string lr_range;
  std::string lr_anneal = "linear";
  double rms_alpha = 0.99;
  double rms_eps = 0.01;
  double clip = 40;
  // sharing
  std::string update = "hogwild";
  std::string order = "free";
  std::int64_t stripes = 64;
  std::int64_t block = 10000;
  std::string inter = "average";
  std::int64_t inter_every = 200;
  double inter_rate = 0.5;
  std::int64_t fake_nodes = 0;
  double rank_timeout = 300;
  // evaluation
  std::int64_t eval_every = 50000;
  std::int64_t eval_episodes = 32;
  double eval_epsilon = 0.05;
  bool eval_greedy = false;

  void declare(cli::OptionTable& table);
  /// Checks options that need several at once. Throws Code::kUsage.
  void validate() const;
};

/// An actor's last exploration rates, each with how often it is drawn (Mnih et al. 2016, section
/// 5.1: 0.1, 0.01, 0.5 with 0.4, 0.3, 0.3).
struct EpsilonChoice {
  double epsilon = 0.1, weight = 1;
};
/// "0.1:0.4,0.01:0.3,0.5:0.3", or "0.1" alone. Throws Code::kUsage.
std::vector<EpsilonChoice> epsilon_choices(const std::string& text);

/// Where a run's learning rate is drawn from: LogUniform(low, high) (Mnih et al. 2016,
/// section 5.1).
struct RateRange {
  double low = 0, high = 0;
};
/// "1e-4:1e-2". Throws Code::kUsage.
RateRange rate_range(const std::string& text);

}  // namespace tenfold::a3c
