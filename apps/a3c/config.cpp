#include "a3c/config.hpp"

#include <charconv>
#include <cmath>

#include "a3c/presets.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "env/registry.hpp"

namespace tenfold::a3c {

using base::Code;
using base::Error;

Method method_of(const std::string& word) {
  if (word == "a3c") return Method::kActorCritic;
  if (word == "q") return Method::kOneStepQ;
  if (word == "sarsa") return Method::kOneStepSarsa;
  if (word == "nstep-q") return Method::kNStepQ;
  throw Error(Code::kUsage, fmt::format("unknown method '{}'", base::printable(word)),
              "a3c, q, sarsa or nstep-q");
}

namespace {

double number_in(const std::string& text, double low, double high) {
  double value = NAN;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= low) ||
      !(value <= high)) {
    throw Error(Code::kUsage,
                fmt::format("'{}' is no number from {} to {}", base::printable(text), low, high));
  }
  return value;
}

std::string check_epsilons(const std::string& text) {
  try {
    epsilon_choices(text);
  } catch (const Error& error) {
    return "is no list of rates like 0.1:0.4,0.01:0.3,0.5:0.3: " + error.message();
  }
  return "";
}

std::string check_rate_range(const std::string& text) {
  try {
    if (!text.empty()) rate_range(text);
  } catch (const Error& error) {
    return "is no range like 1e-4:1e-2: " + error.message();
  }
  return "";
}

const std::vector<std::string> kValueMethods{"q", "sarsa", "nstep-q"};

std::string all_tasks() {
  return "Games and classic control\n" + env::game_table() + "\nContinuous control\n" +
         env::task_table();
}

}  // namespace

std::vector<EpsilonChoice> epsilon_choices(const std::string& text) {
  std::vector<EpsilonChoice> choices;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, end - at);
    at = end + 1;
    const std::size_t colon = word.find(':');
    choices.push_back({number_in(word.substr(0, colon), 0, 1),
                       colon == std::string::npos ? 1 : number_in(word.substr(colon + 1), 0, 1e6)});
  }
  double sum = 0;
  for (const EpsilonChoice& each : choices) sum += each.weight;
  if (sum <= 0) throw Error(Code::kUsage, "all weights are 0");
  for (EpsilonChoice& each : choices) each.weight /= sum;
  return choices;
}

RateRange rate_range(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) throw Error(Code::kUsage, "it has no ':'");
  const RateRange range{number_in(text.substr(0, colon), 1e-12, 100),
                        number_in(text.substr(colon + 1), 1e-12, 100)};
  if (range.low > range.high) throw Error(Code::kUsage, "it ends before it begins");
  return range;
}

void Config::declare(cli::OptionTable& table) {
  table.group("task", "Task");
  table.add("task.task", &task, "what to play; see --list-tasks").common();
  table.add("task.settings", &settings, "numbers of the task: cells=5,apples=3; see --list-tasks");
  table
      .add("task.repeat", &repeat,
           "control steps or emulator frames per decision; 0: the task's own")
      .range(0, 1000);
  table.add("task.horizon", &horizon, "decisions per episode; 0: the task's own").range(0, 1e9);
  table.add("task.reward-scale", &reward_scale, "factor on rewards before learning")
      .above(0)
      .at_most(1e6);
  table.add("task.reward-clip", &reward_clip, "bound of rewards before learning; 0: none")
      .range(0, 1e9);
  table.add("task.timeout-as-terminal", &timeout_as_terminal,
            "time limits end episodes for the learner too: no bootstrap there");
  table
      .add("task.envs-per-actor", &envs_per_actor,
           "environments of each actor, in one batch; the paper has 1")
      .range(1, 65536);

  table.group("train", "Training");
  table.add("train.total-steps", &total_steps, "decisions over all actors (T_max)")
      .range(1, 9e15)
      .common();

  table.group("method", "Method");
  table.add("method.method", &method, "advantage actor-critic, one-step Q or Sarsa, n-step Q")
      .choices({"a3c", "q", "sarsa", "nstep-q"})
      .common();
  table.add("method.t-max", &t_max, "decisions between updates (t_max, I_AsyncUpdate)")
      .range(1, 100000)
      .unit("decisions");
  table.add("method.gamma", &gamma, "discount per decision").range(0, 1);
  table
      .add("method.gae-lambda", &gae_lambda,
           "lambda of generalised advantages; 1: the paper's n-step advantages")
      .only_with("method.method", {"a3c"})
      .range(0, 1);
  table.add("method.entropy", &entropy, "weight of the entropy (beta)")
      .only_with("method.method", {"a3c"})
      .range(0, 100);
  table
      .add("method.value-coef", &value_coef,
           "weight of squared errors of V or Q; 1 is the paper's formula")
      .above(0)
      .at_most(100);
  table
      .add("method.target-period", &target_period,
           "decisions of all actors between copies of the target network (I_target)")
      .only_with("method.method", kValueMethods)
      .range(1, 9e15)
      .unit("decisions");
  table
      .add("method.epsilon-anneal", &epsilon_anneal,
           "decisions of all actors until exploration has come from 1 to its last rate")
      .only_with("method.method", kValueMethods)
      .range(0, 9e15)
      .unit("decisions");
  table
      .add("method.epsilon-final", &epsilon_final,
           "last rates RATE:WEIGHT, one drawn for each actor")
      .only_with("method.method", kValueMethods)
      .check(check_epsilons);

  table.group("network", "Network");
  table.add("network.net", &net, "widths of fully connected hidden layers")
      .range(1, 65536)
      .common();
  table
      .add("network.conv", &conv,
           "convolutions below them: none, grid (16 3x3), dqn13 (16 8x8/4, 32 4x4/2), dqn15 (32 "
           "8x8/4, 64 4x4/2, 64 3x3)")
      .choices({"none", "grid", "dqn13", "dqn15"});
  table.add("network.lstm", &lstm, "LSTM cells above them; 0: none").range(0, 65536);
  table
      .add(
          "network.forget-bias", &forget_bias,
          "added to the LSTM's forget gates at the start: how long cells keep what they saw; 0: as "
          "the paper")
      .range(-10, 10);
  table
      .add("network.engine", &engine,
           "what computes it: fused (own kernels), torch (LibTorch's autograd), auto: fused")
      .choices({"auto", "fused", "torch"});

  table.group("optimizer", "Optimizer");
  table
      .add("optimizer.optimizer", &optimizer,
           "shared-rmsprop; rmsprop and momentum with statistics of each actor's own (section 4)")
      .choices({"shared-rmsprop", "rmsprop", "momentum"});
  table.add("optimizer.lr", &lr, "step size (eta)").above(0).at_most(100).common();
  table
      .add(
          "optimizer.lr-range", &lr_range,
          "LOW:HIGH, between which the run's --seed draws the logarithm of --lr; empty: --lr as it "
          "is")
      .check(check_rate_range);
  table.add("optimizer.lr-anneal", &lr_anneal, "linear: to 0 over the run")
      .choices({"linear", "none"});
  table.add("optimizer.rms-alpha", &rms_alpha, "decay of RMSProp's squares, or of the momentum")
      .at_least(0)
      .below(1);
  table.add("optimizer.rms-eps", &rms_eps, "RMSProp's epsilon, inside the root")
      .only_with("optimizer.optimizer", {"shared-rmsprop", "rmsprop"})
      .above(0)
      .at_most(100);
  table.add("optimizer.clip", &clip, "largest norm of an actor's gradient; 0: any").range(0, 1e9);

  table.group("sharing", "How actors share parameters");
  table.add("sharing.update", &update, "how gradients are applied; sync: A2C")
      .choices({"hogwild", "striped", "atomic", "mutex", "rma", "sync"})
      .common();
  table
      .add("sharing.order", &order,
           "free, or turns: actors one after the other, the same bits on any number of ranks")
      .choices({"free", "turns"});
  table.add("sharing.stripes", &stripes, "locks of --update striped")
      .only_with("sharing.update", {"striped"})
      .range(1, 65536);
  table
      .add("sharing.block", &block,
           "decisions of all actors between two meetings of all ranks, where metrics, "
           "checkpoints and evaluations have their place")
      .range(1, 9e15)
      .unit("decisions");
  table
      .add(
          "sharing.inter", &inter,
          "between nodes: average (elastic, while learning goes on), accumulate (one-sided sums of "
          "changes)")
      .choices({"average", "accumulate"});
  table.add("sharing.inter-every", &inter_every, "updates of a node between exchanges")
      .range(1, 9e15)
      .unit("updates");
  table.add("sharing.inter-rate", &inter_rate, "how far a node moves to the mean (rho)")
      .only_with("sharing.inter", {"average"})
      .above(0)
      .at_most(1);
  table
      .add("sharing.fake-nodes", &fake_nodes,
           "treat the ranks as on so many nodes, to try that out on one; 0: as they are")
      .range(0, 4096);

  table
      .add("sharing.rank-timeout", &rank_timeout,
           "end the job when others wait for a rank that made no rollout for so long; 0: never")
      .alias("rank-timeout")
      .range(0, 1e7)
      .unit("s")
      .not_a_result();

  table.group("eval", "Evaluation");
  table.add("eval.every", &eval_every, "decisions between evaluations; 0: start and end")
      .alias("eval-every")
      .range(0, 9e15);
  table.add("eval.episodes", &eval_episodes, "episodes per evaluation")
      .alias("eval-episodes")
      .range(1, 1e6);
  table.add("eval.epsilon", &eval_epsilon, "random actions of Q's policy in evaluations")
      .alias("eval-epsilon")
      .only_with("method.method", kValueMethods)
      .range(0, 1);
  table.add("eval.greedy", &eval_greedy, "evaluate the most likely action of pi, not draws from it")
      .alias("eval-greedy")
      .only_with("method.method", {"a3c"});

  declare_presets(table);
  table.listing("list-tasks", "list the tasks with what they show and take", all_tasks);
}

void Config::validate() const {
  if (update == "sync" && order == "turns") {
    throw Error(Code::kUsage, "--update sync has no turns: all actors update together",
                "Leave --order out; sync has the same bits on any number of ranks by itself");
  }
  if (update == "sync" && optimizer != "shared-rmsprop") {
    throw Error(Code::kUsage,
                fmt::format("--optimizer {} keeps statistics of each actor, --update sync has one "
                            "gradient of all",
                            optimizer),
                "Use --optimizer shared-rmsprop");
  }
  if (order == "turns" && fake_nodes > 1) {
    throw Error(Code::kUsage, "--order turns is for the ranks of one node",
                "Leave --fake-nodes out");
  }
}

}  // namespace tenfold::a3c
