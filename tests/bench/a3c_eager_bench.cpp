// a3c_eager_bench OPTIMIZER FRAMES: A3C on CartPole in LibTorch as people write it, for
// a3c_speed.py. OPTIMIZER: written (shared RMSProp, tensor by tensor) or torch
// (torch::optim::RMSprop). Prints frames per CPU second and the mean return of the last 100
// episodes.
//
// It acts with the parameters that it updates: no copy of them per rollout, which A3C has, and
// which ours makes.
#include <ATen/Parallel.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/rmsprop.h>
#include <torch/utils.h>

#include <cstdio>
#include <deque>
#include <numeric>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "env/registry.hpp"

namespace {

using namespace tenfold;

constexpr std::int64_t kHidden = 128, kSteps = 5;
constexpr double kGamma = 0.99, kEntropy = 0.01, kValueCoef = 0.5, kClip = 40, kRewardScale = 0.01;
constexpr double kRate = 3e-3, kAlpha = 0.99, kEps = 0.01;
constexpr std::int64_t kWarmUp = 500;

struct ActorCritic : torch::nn::Module {
  ActorCritic()
      : trunk(register_module("trunk", torch::nn::Linear(4, kHidden))),
        policy(register_module("policy", torch::nn::Linear(kHidden, 2))),
        value(register_module("value", torch::nn::Linear(kHidden, 1))) {}
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& x) {
    const torch::Tensor hidden = torch::relu(trunk(x));
    return {policy(hidden), value(hidden)};
  }
  torch::nn::Linear trunk, policy, value;
};

// Equations 8 and 9 of Mnih et al. 2016.
class WrittenRmsprop {
 public:
  explicit WrittenRmsprop(std::vector<torch::Tensor> parameters)
      : parameters_(std::move(parameters)) {
    for (const torch::Tensor& each : parameters_) squares_.push_back(torch::zeros_like(each));
  }
  void zero_grad() {
    for (const torch::Tensor& each : parameters_) each.mutable_grad() = torch::Tensor();
  }
  void step(double rate) {
    const torch::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      const torch::Tensor& gradient = parameters_[i].grad();
      squares_[i].mul_(kAlpha).addcmul_(gradient, gradient, 1 - kAlpha);
      parameters_[i].addcdiv_(gradient, (squares_[i] + kEps).sqrt_(), -rate);
    }
  }

 private:
  std::vector<torch::Tensor> parameters_, squares_;
};

struct Agent {
  ActorCritic net;
  WrittenRmsprop written{net.parameters()};
  torch::optim::RMSprop ready{net.parameters(),
                              torch::optim::RMSpropOptions(kRate).alpha(kAlpha).eps(kEps)};
};

class Player {
 public:
  Player() : envs_(env::make_env("classic_cartpole", 1)) { reset(); }

  torch::Tensor observation() const {
    return torch::tensor(
        at::ArrayRef<float>(envs_->observations().data(), envs_->observations().size()));
  }
  void step(std::int64_t action) {
    const auto taken = static_cast<float>(action);
    envs_->step({&taken, 1});
    return_ += envs_->rewards()[0];
  }
  double reward() const { return kRewardScale * envs_->rewards()[0]; }
  bool ended() const { return envs_->terminal()[0] != 0; }
  bool over() const { return ended() || envs_->truncated()[0] != 0; }
  void reset() {
    if (episodes_ > 0) last_.push_back(return_);
    if (last_.size() > 100) last_.pop_front();
    base::Stream stream(1, base::Purpose::kEnvReset, 0, episodes_++);
    envs_->reset(0, stream);
    return_ = 0;
  }
  double mean_return() const {
    return std::accumulate(last_.begin(), last_.end(), 0.0) / static_cast<double>(last_.size());
  }

 private:
  std::unique_ptr<env::BatchEnv> envs_;
  std::uint64_t episodes_ = 0;
  double return_ = 0;
  std::deque<double> last_;
};

// One rollout and its update; returns how many frames it was.
std::int64_t roll_out(Agent& agent, Player& player, bool written, double rate) {
  std::vector<torch::Tensor> log_probabilities, values, entropies;
  std::vector<double> rewards;
  bool over = false;
  for (std::int64_t t = 0; t < kSteps && !over; ++t) {
    const auto [logits, value] = agent.net.forward(player.observation());
    const torch::Tensor log_p = torch::log_softmax(logits, -1), p = torch::softmax(logits, -1);
    entropies.push_back(-(log_p * p).sum());
    const torch::Tensor action = p.multinomial(1);
    log_probabilities.push_back(log_p.gather(0, action));
    values.push_back(value);
    player.step(action.item<std::int64_t>());
    rewards.push_back(player.reward());
    over = player.over();
  }
  double ahead = 0;
  if (!player.ended()) {
    const torch::NoGradGuard no_gradient;
    ahead = agent.net.forward(player.observation()).second.item<double>();
  }
  torch::Tensor loss = torch::zeros({1});
  for (std::size_t i = rewards.size(); i-- > 0;) {
    ahead = rewards[i] + kGamma * ahead;
    const torch::Tensor advantage = ahead - values[i];
    loss = loss + kValueCoef * advantage.pow(2) - log_probabilities[i] * advantage.detach() -
           kEntropy * entropies[i];
  }
  if (written) {
    agent.written.zero_grad();
  } else {
    agent.ready.zero_grad();
  }
  loss.backward();
  torch::nn::utils::clip_grad_norm_(agent.net.parameters(), kClip);
  if (written) {
    agent.written.step(rate);
  } else {
    agent.ready.step();
  }
  if (over) player.reset();
  return static_cast<std::int64_t>(rewards.size());
}

void play(Agent& agent, Player& player, bool written, std::int64_t frames) {
  for (std::int64_t done = 0; done < frames;) {
    const double left = 1 - static_cast<double>(done) / static_cast<double>(frames);
    done += roll_out(agent, player, written, kRate * left);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string optimizer = argc == 3 ? argv[1] : "";
  if (optimizer != "written" && optimizer != "torch") {
    std::fprintf(stderr, "usage: a3c_eager_bench written|torch FRAMES\n");
    return EXIT_FAILURE;
  }
  torch::set_num_threads(1);
  torch::manual_seed(1);
  Agent agent;
  Player player;
  const std::int64_t frames = std::stol(argv[2]);
  play(agent, player, optimizer == "written", kWarmUp);
  const double begin = base::cpu_now();
  play(agent, player, optimizer == "written", frames);
  std::printf("%g %g\n", static_cast<double>(frames) / (base::cpu_now() - begin),
              player.mean_return());
  return EXIT_SUCCESS;
}
