#include "ddpg/config.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "ddpg/pixel_presets.hpp"
#include "env/gym_task.hpp"
#include "env/registry.hpp"

namespace tenfold::ddpg {

using base::Code;
using base::Error;

namespace {

void declare_presets(cli::OptionTable& table) {
  const std::vector<cli::PresetValue> paper{
      {"network.actor-net", "400x300", "section 7"},
      {"network.critic-net", "400x300", "section 7"},
      {"network.action-layer", "2", "section 7: actions enter at the 2nd hidden layer of Q"},
      {"network.batch-norm", "paper",
       "section 3: state input, all layers of mu, Q before the action"},
      {"network.target-bn", "batch", "section 3: running averages in exploration and evaluation"},
      {"network.final-init", "3e-3", "section 7: U(-3e-3, 3e-3) in the low-dimensional case"},
      {"learning.lr-actor", "1e-4", "section 7"},
      {"learning.lr-critic", "1e-3", "section 7"},
      {"learning.critic-l2", "1e-2", "section 7: L2 weight decay of Q"},
      {"learning.gamma", "0.99", "section 7"},
      {"learning.tau", "0.001", "section 7"},
      {"learning.batch", "64", "section 7, low-dimensional case"},
      {"learning.replay", "1000000", "section 7"},
      {"train.start-steps", "0", "algorithm 1 has no random warm-up"},
      {"train.updates-per-step", "1", "algorithm 1"},
      {"explore.noise", "ou", "section 7"},
      {"explore.ou-theta", "0.15", "section 7"},
      {"explore.sigma", "0.2", "section 7"},
      {"explore.ou-scheme", "unit", "ours: theta and sigma are read as per step"}};
  table.preset({"paper", "the paper's low-dimensional setting, literally", paper});

  std::vector<cli::PresetValue> without_decay = paper;
  for (cli::PresetValue& each : without_decay) {
    if (each.key == "learning.critic-l2") {
      each = {"learning.critic-l2", "0",
              "ours: decay of 1e-2 crushes a critic whose returns are small (README, Presets)"};
    }
  }
  table.preset(
      {"paper-nowd", "the paper's setting without the critic's weight decay", without_decay});

  const std::vector<cli::PresetValue> modern{
      {"network.actor-net", "64x64", "small nets suffice for the tasks here"},
      {"network.critic-net", "64x64", "small nets suffice for the tasks here"},
      {"network.action-layer", "1", "Spinning Up, CleanRL: action at the input"},
      {"network.batch-norm", "none", "Spinning Up, CleanRL"},
      {"learning.lr-actor", "1e-3", "Spinning Up"},
      {"learning.lr-critic", "1e-3", "Spinning Up"},
      {"learning.critic-l2", "0", "Spinning Up, CleanRL, TD3"},
      {"learning.tau", "0.005", "CleanRL, TD3"},
      {"train.start-steps", "1000", "TD3 warms up with random actions"}};
  table.preset({"modern", "what later work uses, sized for a few cores (default)", modern});

  std::vector<cli::PresetValue> short_tasks = modern;
  short_tasks.push_back({"network.actor-net", "128x128", "random targets need wider nets"});
  for (cli::PresetValue& each : short_tasks) {
    if (each.key == "network.actor-net" || each.key == "network.critic-net") each.value = "128x128";
    if (each.key == "learning.lr-actor") each.value = "1e-4";
  }
  short_tasks.pop_back();
  short_tasks.push_back({"learning.gamma", "0.95", "short horizons"});
  short_tasks.push_back({"learning.reward-scale", "0.1", "keeps Q near 1"});
  table.preset({"modern-short", "modern for tasks of short reach (reacher)", short_tasks});
  declare_pixel_presets(table);
}

}  // namespace

void Config::declare(cli::OptionTable& table) {
  table.group("task", "Task");
  table.add("task.task", &task, "what to control; see --list-tasks").common();
  table.add("task.obs", &obs, "what the agent sees of it").choices({"lowdim", "pixels"}).common();
  table.add("task.pixel-size", &pixel_size, "pixels: width and height of a picture")
      .only_with("task.obs", {"pixels"})
      .range(1, 4096)
      .unit("pixels");
  table.add("task.camera", &camera, "pixels: camera of the model; empty: its own choice")
      .only_with("task.obs", {"pixels"});
  table
      .add("task.repeat", &repeat,
           "control steps per decision; 0: the task's own, with pixels the paper's 3")
      .range(0, 1000);
  table.add("task.horizon", &horizon, "decisions per episode; 0: the task's own").range(0, 1e9);
  table.add("task.terminate-on-fall", &terminate_on_fall, "tasks that can end early do");
  table.add("task.mjcf-dir", &mjcf_dir, "folder of model files instead of data/mjcf")
      .not_a_result();
  table.add("task.mjcf", &mjcf, "a MuJoCo model of your own, in place of --task; wants --reward");
  table
      .add("task.reward", &reward,
           "its reward of a control step, for example 'tol(q.hinge, 0, 0, 1) - 0.1 * effort': "
           "names q. and v.JOINT, body. and site.NAME.x, sensor.NAME, u.MOTOR, effort, time")
      .only_with("task.mjcf");
  table
      .add("task.ends-when", &ends_when,
           "a formula that is not 0 where an episode ends; empty: at the horizon alone")
      .only_with("task.mjcf");
  table.add("task.start-noise", &start_noise, "uniform noise on its joints at the start")
      .only_with("task.mjcf")
      .range(0, 10)
      .unit("m, rad, 1/s");
  table.add("task.control-dt", &control_dt, "its control step: a multiple of the model's timestep")
      .only_with("task.mjcf")
      .above(0)
      .at_most(10)
      .unit("s");
  table.add("task.envs-per-shard", &envs_per_shard, "environments of each virtual shard")
      .range(1, 65536);

  table.group("train", "Training");
  table.add("train.total-steps", &total_steps, "decisions over all ranks").range(1, 9e15).common();
  table.add("train.start-steps", &start_steps, "decisions with uniform random actions at the start")
      .range(0, 9e15)
      .unit("decisions");
  table.add("train.updates-per-step", &updates_per_step, "updates per decision").range(0, 1000);

  table.group("network", "Networks");
  table.add("network.actor-net", &actor_net, "hidden widths of mu").range(1, 65536).common();
  table.add("network.critic-net", &critic_net, "hidden widths of Q").range(1, 65536).common();
  table
      .add("network.action-layer", &action_layer,
           "layer of Q that also sees the action (1 = first; of the fully connected ones)")
      .range(1, 64);
  table
      .add(
          "network.batch-norm", &batch_norm,
          "none, or paper: input, hidden layers of mu, those of Q before the action; connected: of "
          "these the fully connected layers (pictures: takes out what all have in common)")
      .choices({"none", "paper", "connected"});
  table
      .add("network.target-bn", &target_bn,
           "targets normalise with running averages or with the batch")
      .only_with("network.batch-norm", {"paper", "connected"})
      .choices({"running", "batch"});
  table.add("network.bn-momentum", &bn_momentum, "weight of a new batch in the running averages")
      .only_with("network.batch-norm", {"paper", "connected"})
      .above(0)
      .at_most(1);
  table
      .add("network.final-init", &final_init,
           "bound of the last layers' uniform start; 0: as others")
      .range(0, 10);
  table.add("network.layer-norm", &layer_norm, "layer norm on all hidden layers of mu and Q");
  table
      .add("network.conv-filters", &conv_filters,
           "pictures: filters of each convolution in front of the fully connected layers")
      .only_with("task.obs", {"pixels"})
      .range(1, 4096);
  table.add("network.conv-kernel", &conv_kernel, "pictures: width of a kernel; half is padding")
      .only_with("task.obs", {"pixels"})
      .range(1, 64)
      .unit("pixels");
  table.add("network.conv-stride", &conv_stride, "pictures: step of a kernel")
      .only_with("task.obs", {"pixels"})
      .range(1, 64)
      .unit("pixels");
  table
      .add(
          "network.engine", &engine,
          "what computes networks: fused (own kernels, states only), torch (LibTorch's operators), "
          "or auto: fused where it can")
      .choices({"auto", "fused", "torch"});

  table.group("learning", "Learning");
  table.add("learning.lr-actor", &lr_actor, "Adam's step size for mu").above(0).at_most(10);
  table.add("learning.lr-critic", &lr_critic, "Adam's step size for Q").above(0).at_most(10);
  table.add("learning.critic-l2", &critic_l2, "L2 decay of Q's hidden weights").range(0, 100);
  table.add("learning.gamma", &gamma, "discount per decision").at_least(0).below(1);
  table.add("learning.tau", &tau, "rate of the target networks").above(0).at_most(1);
  table.add("learning.reward-scale", &reward_scale, "factor on rewards before learning")
      .above(0)
      .at_most(1e6);
  table
      .add("learning.preactivation-penalty", &preactivation_penalty,
           "C of C mean(z^2) in mu's loss, z before its tanh, against saturation (Andrychowicz et "
           "al. 2017, appendix A)")
      .range(0, 1e3);
  table.add("learning.batch", &batch, "transitions per update, over all shards (see batch-mode)")
      .range(1, 1e7)
      .unit("transitions")
      .common();
  table
      .add("learning.batch-mode", &batch_mode,
           "strong: batch over all shards; weak: batch per shard")
      .choices({"strong", "weak"});
  table
      .add("learning.update-order", &update_order,
           "sequential: mu sees the critic just updated; simultaneous: the one before")
      .choices({"sequential", "simultaneous"});
  table
      .add("learning.actor-every", &actor_every,
           "updates of Q for each of mu and the targets (2 in TD3 and CleanRL)")
      .range(1, 1000)
      .unit("updates");
  table.add("learning.target-networks", &target_networks,
            "false: bootstrap from the nets themselves");
  table.add("learning.replay", &replay, "transitions kept, over all shards")
      .range(1, 1e12)
      .unit("transitions");
  table
      .add("learning.replay-checkpoint", &replay_checkpoint,
           "full, or incremental (only what is new, on top of the last 15): both resume exactly; "
           "none: a resumed run refills first")
      .choices({"full", "incremental", "none"})
      .not_a_result();

  table.add("learning.n-step", &n_step, "rewards that a target sums before it bootstraps")
      .alias("n-step")
      .range(1, 1000)
      .unit("decisions");
  table
      .add("learning.augment-shift", &augment_shift,
           "pictures: moves each of a minibatch by up to so many pixels, at random (DrQ-v2); 0: "
           "none")
      .only_with("task.obs", {"pixels"})
      .range(0, 4095)
      .unit("pixels");
  table
      .add("learning.sampling", &sampling,
           "uniform, or prioritised by the last error (Schaul et al. 2016)")
      .choices({"uniform", "prioritised"});
  table.add("learning.per-alpha", &per_alpha, "exponent of the error in a priority")
      .only_with("learning.sampling", {"prioritised"})
      .range(0, 2);
  table.add("learning.per-beta", &per_beta, "exponent of the weights at the start; 1 at the end")
      .only_with("learning.sampling", {"prioritised"})
      .range(0, 1);

  table.group("explore", "Exploration");
  table.add("explore.noise", &noise, "added to mu's action").choices({"ou", "gauss", "none"});
  table.add("explore.ou-theta", &ou_theta, "pull towards 0")
      .only_with("explore.noise", {"ou"})
      .above(0)
      .below(2);
  table.add("explore.sigma", &sigma, "scale of the noise").range(0, 100).unit("action");
  table.add("explore.ou-scheme", &ou_scheme, "unit: per step; dt: Euler; exact: exact transition")
      .only_with("explore.noise", {"ou"})
      .choices({"unit", "dt", "exact"});
  table.add("explore.ou-dt", &ou_dt, "time step")
      .only_with("explore.ou-scheme", {"dt", "exact"})
      .above(0)
      .at_most(1e3)
      .unit("s");

  table.group("eval", "Evaluation");
  table
      .add("eval.every", &eval_every,
           "decisions between evaluations without noise; 0: start and end")
      .alias("eval-every")
      .range(0, 9e15)
      .common();
  table.add("eval.episodes", &eval_episodes, "episodes per evaluation")
      .alias("eval-episodes")
      .range(1, 1e6);
  table
      .add("eval.normalise", &normalise,
           "planner's returns that eval/score is measured with: auto (those shipped), none, or a "
           "file that --planner-record wrote")
      .check([](const std::string& text) {
        return text.empty() ? std::string("give auto, none or a file") : std::string();
      })
      .not_a_result();

  declare_topology(table);
  declare_planner(table);

  declare_presets(table);
  table.listing("list-tasks", "list the tasks with their dimensions", env::task_table);
}

std::int64_t Config::rows_per_shard(std::int64_t shards) const {
  if (batch_mode == "weak") return batch;
  if (batch % shards != 0) {
    throw Error(
        Code::kUsage,
        fmt::format("learning.batch {} cannot be split over {} virtual shards", batch, shards),
        fmt::format("Make it a multiple of {}, or set --virtual-shards, or --batch-mode weak",
                    shards));
  }
  return batch / shards;
}

void Config::settle() {
  if (!mjcf.empty()) task = "mjcf:" + mjcf;
  validate();
}

void Config::validate() const {
  if (sampling == "prioritised" && replay_checkpoint == "none") {
    throw Error(Code::kUsage, "--sampling prioritised cannot go on from --replay-checkpoint none",
                "Use --replay-checkpoint full or incremental");
  }
  if (static_cast<std::size_t>(action_layer) > critic_net.size() + 1) {
    throw Error(Code::kUsage,
                fmt::format("network.action-layer {} is beyond the {} layers of --critic-net",
                            action_layer, critic_net.size() + 1));
  }
  if (layer_norm && batch_norm != "none") {
    throw Error(Code::kUsage, "--layer-norm and --batch-norm would normalise the same layers",
                "Choose one of them");
  }
  if (replay < batch) {
    throw Error(Code::kUsage,
                fmt::format("learning.replay {} holds less than one batch of {}", replay, batch),
                "Raise --replay or lower --batch");
  }
  if (augment_shift >= pixel_size) {
    throw Error(Code::kUsage,
                fmt::format("learning.augment-shift {} moves pictures of {} pixels out of sight",
                            augment_shift, pixel_size),
                "Lower it; 1 in 20 of --pixel-size is common");
  }
  if (!mjcf_dir.empty() && !env::is_gym_task(task) && env::model_file(task).empty()) {
    throw Error(Code::kUsage,
                fmt::format("task {} has no MuJoCo model, task.mjcf-dir is for others",
                            base::printable(task)),
                "Leave the option out");
  }
  if (planner != "none" && env::is_gym_task(task)) {
    throw Error(Code::kUsage,
                fmt::format("--planner {} plans from copies of the task's state, which {} cannot "
                            "give",
                            planner, base::printable(task)),
                "Choose one of --list-tasks");
  }
  if (planner != "none" && obs == "pixels") {
    throw Error(
        Code::kUsage,
        fmt::format("--planner {} knows the state, it does not look at --obs pixels", planner),
        "Leave --obs out; --repeat 3 plays the decisions of a run from pixels");
  }
  validate_topology();
  if (!planner_record.empty() && planner == "none") {
    throw Error(Code::kUsage, "planner.record is set, but nothing plays that could be recorded",
                "Say which planner: --planner ilqg or --planner cem");
  }
}

}  // namespace tenfold::ddpg
