#include "ddpg/evaluation.hpp"

#include <algorithm>
#include <cmath>

namespace tenfold::ddpg {

using base::Purpose;

namespace {

constexpr std::size_t kMarks = 5;  // states per episode at which Q is held against the return

std::size_t ceil_divide(std::size_t a, std::size_t b) {
  return (a + b - 1) / b;
}

// Copies row-major rows into a pass's second input, and its output back; groups hold whole shards
// in order. Rows of an input may lie apart: a critic's observations and actions share a layer's
// rows.
float* row_of(const at::Tensor& tensor, std::int64_t group, std::int64_t row) {
  return tensor.data_ptr<float>() + group * tensor.stride(0) + row * tensor.stride(1);
}
void fill(const at::Tensor& tensor, const std::vector<float>& values) {
  const float* in = values.data();
  for (std::int64_t group = 0; group < tensor.size(0); ++group) {
    for (std::int64_t row = 0; row < tensor.size(1); ++row, in += tensor.size(2)) {
      std::copy_n(in, tensor.size(2), row_of(tensor, group, row));
    }
  }
}
void fetch(const at::Tensor& tensor, float* values) {
  for (std::int64_t group = 0; group < tensor.size(0); ++group) {
    for (std::int64_t row = 0; row < tensor.size(1); ++row, values += tensor.size(2)) {
      std::copy_n(row_of(tensor, group, row), tensor.size(2), values);
    }
  }
}

std::unique_ptr<nn::NetworkPass> make_pass(const nn::Network& net, const train::RunContext& context,
                                           std::size_t per_shard) {
  return net.make_pass(context.reducer->groups(),
                       context.reducer->rows_per_group(static_cast<std::int64_t>(per_shard)),
                       context.device.device, nn::Gradients::kNone);
}

}  // namespace

Evaluator::Evaluator(const Config& config, const Agent& agent, train::RunContext& context)
    : config_(config),
      context_(context),
      per_shard_(
          ceil_divide(static_cast<std::size_t>(config.eval_episodes), context.shards.shards)),
      rows_(context.shards.local() * per_shard_),
      marks_(kMarks),
      mark_every_(1),
      observer_(config, rows_, context.device.local_rank),
      envs_(observer_.envs()),
      actor_(make_pass(agent.actor_net(), context, per_shard_)),
      critic_(make_pass(agent.critic_net(), context, per_shard_)) {
  const env::Spec& spec = envs_.spec();
  // The return after the horizon is not seen: only states with at least 1/(1 - gamma) x 3 decisions
  // left are compared, where at most 5% of the discounted future is missing.
  const double left = std::min(3.0 / (1.0 - config.gamma), static_cast<double>(spec.horizon) - 1);
  mark_every_ = std::max<std::int64_t>(
      1, static_cast<std::int64_t>((static_cast<double>(spec.horizon) - left) / kMarks));
  actions_.resize(rows_ * spec.action_size);
  rewards_.resize(rows_ * static_cast<std::size_t>(spec.horizon));
}

std::size_t Evaluator::episode_of(std::size_t row) const {
  return context_.shards.mine[row / per_shard_] + (row % per_shard_) * context_.shards.shards;
}

void Evaluator::begin(std::uint64_t seed_step) {
  live_.assign(rows_, 0);
  returns_.assign(rows_, 0);
  lengths_.assign(rows_, 0);
  estimates_.assign(rows_ * marks_, 0);
  std::fill(rewards_.begin(), rewards_.end(), 0.0);
  for (std::size_t row = 0; row < rows_; ++row) {
    base::Stream stream(context_.seed, Purpose::kEvaluationReset,
                        static_cast<std::uint32_t>(episode_of(row)), seed_step);
    envs_.reset(row, stream);
    live_[row] = episode_of(row) < static_cast<std::size_t>(config_.eval_episodes);
  }
}

void Evaluator::act(const Agent& agent, std::uint64_t seed_step, std::int64_t t, bool random) {
  const std::size_t width = envs_.spec().action_size;
  if (random) {
    for (std::size_t row = 0; row < rows_; ++row) {
      base::Stream stream(context_.seed, Purpose::kWarmUpAction,
                          static_cast<std::uint32_t>(episode_of(row)) | 0x80000000U,
                          seed_step * 1000003U + static_cast<std::uint64_t>(t));
      for (std::size_t i = 0; i < width; ++i) {
        actions_[row * width + i] = static_cast<float>(stream.uniform(-1, 1));
      }
    }
    return;
  }
  actor_->input().copy_(observer_.seen().view_as(actor_->input()));
  fetch(actor_->forward(agent.actor_parameters(), agent.actor_buffers(), nn::Mode::kEval),
        actions_.data());
}

void Evaluator::estimate(const Agent& agent, std::int64_t t) {
  if (t % mark_every_ != 0 || static_cast<std::size_t>(t / mark_every_) >= marks_) return;
  critic_->input().copy_(observer_.seen().view_as(critic_->input()));
  fill(critic_->second_input(), actions_);
  std::vector<float> q(rows_);
  fetch(critic_->forward(agent.critic_parameters(), agent.critic_buffers(), nn::Mode::kEval),
        q.data());
  for (std::size_t row = 0; row < rows_; ++row) {
    estimates_[row * marks_ + static_cast<std::size_t>(t / mark_every_)] = q[row];
  }
}

void Evaluator::advance(std::int64_t t) {
  envs_.step(actions_);
  for (std::size_t row = 0; row < rows_; ++row) {
    if (!live(row)) continue;
    const double reward = envs_.rewards()[row];
    rewards_[row * static_cast<std::size_t>(envs_.spec().horizon) + static_cast<std::size_t>(t)] =
        reward;
    returns_[row] += reward;
    lengths_[row] += 1;
    if (envs_.terminal()[row] != 0 || envs_.truncated()[row] != 0) live_[row] = 0;
  }
}

void Evaluator::play(const Agent& agent, std::uint64_t seed_step, bool random) {
  begin(seed_step);
  const std::int64_t horizon = envs_.spec().horizon;
  for (std::int64_t t = 0; t < horizon; ++t) {
    if (std::none_of(live_.begin(), live_.end(), [](std::uint8_t each) { return each != 0; }))
      break;
    act(agent, seed_step, t, random);
    if (!random) estimate(agent, t);
    advance(t);
    // An ended row still has to be stepped with the others: keep it inside an episode.
    for (std::size_t row = 0; row < rows_; ++row) {
      if (envs_.terminal()[row] != 0 || envs_.truncated()[row] != 0) {
        base::Stream stream(context_.seed, Purpose::kEvaluationReset,
                            static_cast<std::uint32_t>(episode_of(row)), seed_step);
        envs_.reset(row, stream);
      }
    }
  }
}

EvaluationResult Evaluator::run(const Agent& agent, std::uint64_t seed_step, bool random) {
  if (envs_.may_raise()) {
    context_.world.agree([&] { play(agent, seed_step, random); });
  } else {
    play(agent, seed_step, random);
  }
  const std::int64_t horizon = envs_.spec().horizon;

  // Every number is filled in by one rank only, so the sum over ranks is exact.
  const auto episodes = static_cast<std::size_t>(config_.eval_episodes);
  const std::size_t width = 2 + 2 * marks_;
  std::vector<double> all(episodes * width, 0.0);
  for (std::size_t row = 0; row < rows_; ++row) {
    if (episode_of(row) >= episodes) continue;
    double* out = all.data() + episode_of(row) * width;
    out[0] = returns_[row];
    out[1] = lengths_[row];
    const double* rewards = rewards_.data() + row * static_cast<std::size_t>(horizon);
    std::vector<double> discounted(static_cast<std::size_t>(horizon) + 1, 0.0);
    for (auto t = static_cast<std::size_t>(horizon); t-- > 0;) {
      discounted[t] = config_.reward_scale * rewards[t] + config_.gamma * discounted[t + 1];
    }
    for (std::size_t mark = 0; mark < marks_; ++mark) {
      const std::size_t t = mark * static_cast<std::size_t>(mark_every_);
      if (static_cast<double>(t) >= lengths_[row]) continue;
      out[2 + 2 * mark] = estimates_[row * marks_ + mark];
      out[3 + 2 * mark] = discounted[t];
    }
  }
  context_.world.all_reduce(std::span<double>(all), comm::Op::kSum);
  EvaluationResult result;
  for (std::size_t i = 0; i < episodes; ++i) {
    const double* in = all.data() + i * width;
    result.episodes.push_back({in[0], in[1]});
    for (std::size_t mark = 0; mark < marks_; ++mark) {
      if (static_cast<double>(mark) * static_cast<double>(mark_every_) >= in[1]) continue;
      result.calibration.push_back({in[2 + 2 * mark], in[3 + 2 * mark]});
    }
  }
  return result;
}

}  // namespace tenfold::ddpg
