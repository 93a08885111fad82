#include "a3c/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "a3c/actor.hpp"
#include "rl/policy_heads.hpp"

namespace tenfold::a3c {

using base::Purpose;

namespace {

std::size_t ceil_divide(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

}  // namespace

void policy_action(const Config& config, Head head, std::span<const float> outputs,
                   base::Stream& stream, std::span<float> action) {
  if (head == Head::kGaussian) {
    rl::SphericalGaussian::draw(outputs, stream, action);
    if (config.eval_greedy) std::copy_n(outputs.begin(), action.size(), action.begin());
  } else if (head == Head::kQ) {
    action[0] = static_cast<float>(rl::epsilon_greedy(outputs, config.eval_epsilon, stream));
  } else if (config.eval_greedy) {
    action[0] = static_cast<float>(rl::greedy(outputs));
  } else {
    std::vector<float> p(outputs.size());
    rl::Categorical::probabilities(outputs, p);
    action[0] = static_cast<float>(rl::Categorical::draw(p, stream));
  }
}

base::Stream policy_stream(std::uint32_t seed, std::uint32_t episode, std::uint64_t evaluation,
                           std::int64_t t) {
  return {seed, Purpose::kPolicySample, episode | 0x80000000U,
          evaluation << 32U | static_cast<std::uint64_t>(t)};
}

/// Filled in by one rank each, so that sums over ranks are exact.
struct Evaluator::Sums {
  Sums(std::size_t count, std::size_t facts) : episodes(2 * count), of_facts(2 * facts) {}
  std::vector<double> episodes;  ///< return, length
  std::vector<double> of_facts;  ///< sum, count
};

Evaluator::Evaluator(const Config& config, const Networks& networks, train::RunContext& context)
    : config_(config),
      context_(context),
      head_(networks.head()),
      per_shard_(
          ceil_divide(static_cast<std::size_t>(config.eval_episodes), context.shards.shards)),
      envs_(make_envs(config, per_shard_)),
      passes_(networks, 1, static_cast<std::int64_t>(per_shard_), context.device.device, false),
      memory_(per_shard_ * static_cast<std::size_t>(networks.state_size())) {
  base::Stream stream(context.seed, Purpose::kEvaluationReset, 0, 0);
  envs_->reset(0, stream);
  for (const auto& [name, value] : envs_->episode_facts(0)) fact_names_.push_back(name);
}

std::uint32_t Evaluator::episode_of(std::size_t shard, std::size_t row) const {
  return static_cast<std::uint32_t>(shard + row * context_.shards.shards);
}

void Evaluator::act(std::size_t shard, std::uint64_t seed_step, std::int64_t t, bool random,
                    std::vector<float>& actions) {
  const env::Spec& spec = envs_->spec();
  const std::size_t width = spec.action_size;
  for (std::size_t row = 0; row < per_shard_; ++row) {
    const std::span<float> action(actions.data() + row * width, width);
    base::Stream stream = policy_stream(context_.seed, episode_of(shard, row), seed_step, t);
    if (random && spec.choices > 0) {
      action[0] = static_cast<float>(stream.below(static_cast<std::uint64_t>(spec.choices)));
      continue;
    }
    if (random) {
      for (float& each : action) each = static_cast<float>(stream.uniform(-1, 1));
      continue;
    }
    policy_action(config_, head_, passes_.outputs(0, row), stream, action);
  }
}

void Evaluator::note(std::size_t row, Sums& sums) const {
  const auto facts = envs_->episode_facts(row);
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (std::isnan(facts[i].second)) continue;
    sums.of_facts[2 * i] += facts[i].second;
    sums.of_facts[2 * i + 1] += 1;
  }
}

void Evaluator::play(std::size_t shard, const at::Tensor& parameters, std::uint64_t seed_step,
                     bool random, Sums& sums) {
  const auto episodes = static_cast<std::size_t>(config_.eval_episodes);
  std::vector<std::uint8_t> live(per_shard_);
  std::vector<float> actions(per_shard_ * envs_->spec().action_size);
  const auto reset = [&](std::size_t row) {
    base::Stream stream(context_.seed, Purpose::kEvaluationReset, episode_of(shard, row),
                        seed_step);
    envs_->reset(row, stream);
  };
  for (std::size_t row = 0; row < per_shard_; ++row) {
    reset(row);
    live[row] = episode_of(shard, row) < episodes;
  }
  std::fill(memory_.begin(), memory_.end(), 0.0F);
  for (std::int64_t t = 0; std::any_of(live.begin(), live.end(), [](auto l) { return l != 0; });
       ++t) {
    if (!random) {
      passes_.observe(0, *envs_);
      passes_.set_states(0, memory_);
      passes_.forward(0, parameters);
      passes_.get_states(1, memory_);
    }
    act(shard, seed_step, t, random, actions);
    envs_->step(actions);
    for (std::size_t row = 0; row < per_shard_; ++row) {
      const bool over = envs_->terminal()[row] != 0 || envs_->truncated()[row] != 0;
      if (live[row] != 0) {
        double* const out = sums.episodes.data() + 2 * std::size_t{episode_of(shard, row)};
        out[0] += envs_->rewards()[row];
        out[1] += 1;
        if (over) note(row, sums);
        live[row] = !over;
      }
      if (over) reset(row);  // it still has to be stepped with the others
    }
  }
}

EvaluationResult Evaluator::run(const at::Tensor& parameters, std::uint64_t seed_step,
                                bool random) {
  const auto episodes = static_cast<std::size_t>(config_.eval_episodes);
  Sums sums(episodes, fact_names_.size());
  passes_.parameters_changed();
  context_.world.agree([&] {
    for (const std::size_t shard : context_.shards.mine) {
      if (shard < episodes) play(shard, parameters, seed_step, random, sums);
    }
  });
  context_.world.all_reduce(std::span<double>(sums.episodes), comm::Op::kSum);
  if (!sums.of_facts.empty()) {
    context_.world.all_reduce(std::span<double>(sums.of_facts), comm::Op::kSum);
  }
  EvaluationResult result;
  for (std::size_t i = 0; i < episodes; ++i) {
    result.episodes.push_back({sums.episodes[2 * i], sums.episodes[2 * i + 1]});
  }
  for (std::size_t i = 0; i < fact_names_.size(); ++i) {
    const double count = sums.of_facts[2 * i + 1];
    result.facts.push_back(count > 0 ? sums.of_facts[2 * i] / count
                                     : std::numeric_limits<double>::quiet_NaN());
  }
  return result;
}

}  // namespace tenfold::a3c
