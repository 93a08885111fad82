// What a DDPG run can be told, and the presets with the source of each value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/option_table.hpp"

namespace tenfold::ddpg {

/// Defaults are the preset `modern` (what works best here); section numbers in the help are of
/// Lillicrap et al. 2016.
struct Config {
  // task
  std::string task = "cartpole_swingup";
  std::string obs = "lowdim";
  std::int64_t pixel_size = 64;
  std::string camera;
  std::int64_t repeat = 0;
  std::int64_t horizon = 0;
  bool terminate_on_fall = true;
  std::string mjcf_dir;
  std::string mjcf;
  std::string reward;
  std::string ends_when;
  double start_noise = 0.01;
  double control_dt = 0.02;
  std::int64_t envs_per_shard = 1;
  // training length
  std::int64_t total_steps = 60000;
  std::int64_t start_steps = 1000;
  double updates_per_step = 1;
  // networks
  std::vector<std::int64_t> actor_net{64, 64};
  std::vector<std::int64_t> critic_net{64, 64};
  std::int64_t action_layer = 1;
  std::string batch_norm = "none";
  std::string target_bn = "batch";
  double bn_momentum = 0.1;
  bool layer_norm = false;
  std::vector<std::int64_t> conv_filters{32, 32, 32};
  std::int64_t conv_kernel = 3;
  std::int64_t conv_stride = 2;
  std::string engine = "auto";
  double final_init = 3e-3;
  // learning
  double lr_actor = 1e-3;
  double lr_critic = 1e-3;
  double critic_l2 = 0;
  double gamma = 0.99;
  double tau = 0.005;
  double reward_scale = 1;
  double preactivation_penalty = 0;
  std::int64_t batch = 64;
  std::string batch_mode = "strong";
  std::string update_order = "sequential";
  std::int64_t actor_every = 1;
  bool target_networks = true;
  std::int64_t replay = 1000000;
  std::string replay_checkpoint = "full";
  std::string sampling = "uniform";
  double per_alpha = 0.6;
  double per_beta = 0.4;
  std::int64_t n_step = 1;
  std::int64_t augment_shift = 0;
  // exploration
  std::string noise = "ou";
  double ou_theta = 0.15;
  double sigma = 0.2;
  std::string ou_scheme = "unit";
  double ou_dt = 1e-2;
  // topology
  std::string topology = "symmetric";
  std::int64_t learners = 1;
  std::int64_t block = 4;
  double ratio_band = 64;
  std::int64_t publish_every = 4;
  double actor_noise_ladder = 0;
  // evaluation
  std::int64_t eval_every = 5000;
  std::int64_t eval_episodes = 8;
  std::string normalise = "auto";
  // planner
  std::string planner = "none";
  double planner_lookahead = 0.6;
  std::int64_t planner_iterations = 0;
  std::int64_t planner_samples = 40;
  double planner_elite = 0.2;
  double planner_smoothing = 0.1;
  double planner_correlation = 0.6;
  std::int64_t planner_random_episodes = 64;
  std::string planner_record;

  void declare(cli::OptionTable& table);
  /// Puts options together that say one thing, then checks those that need several at once. Throws
  /// Code::kUsage.
  void settle();
  void validate() const;
  /// Rows of the minibatch that each of V shards contributes.
  std::int64_t rows_per_shard(std::int64_t shards) const;
  /// The command line that makes a planner's result again, without what does not matter to it.
  std::string planner_command(std::uint32_t seed) const;

 private:
  void declare_planner(cli::OptionTable& table);
  void declare_topology(cli::OptionTable& table);
  void validate_topology() const;
};

}  // namespace tenfold::ddpg
