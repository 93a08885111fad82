// The actor's step on a problem with a known answer (papers/ddpg.md, oracle 9.3): x' = x + u/2,
// cost x^2 + u^2/10, discount 0.95, policy u = -k x. Its exact Q takes the critic's place.
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ddpg/losses.hpp"
#include "kernels/flat_optimizer.hpp"
#include "nn/mlp.hpp"

namespace tenfold::ddpg {
namespace {

constexpr double kGamma = 0.95;
constexpr double kOptimum = 1.5113477490;

// Discounted cost from x = 1 under u = -k x.
double cost_to_go(double k) {
  return (1 + 0.1 * k * k) / (1 - kGamma * (1 - 0.5 * k) * (1 - 0.5 * k));
}

// d/du of Q(x, u) = -(x^2 + u^2/10 + 0.95 P(k) (x + u/2)^2).
double action_gradient(double k, double x, double u) {
  return -(0.2 * u + kGamma * cost_to_go(k) * (x + 0.5 * u));
}

class LinearActor {
 public:
  explicit LinearActor(double k)
      : mlp_(spec()),
        parameters_(at::zeros({mlp_.parameters().flat_size()})),
        gradients_(at::zeros({1, mlp_.parameters().flat_size()})),
        m_(at::zeros({mlp_.parameters().flat_size()})),
        v_(at::zeros({mlp_.parameters().flat_size()})),
        pass_(mlp_, 1, kRows, at::kCPU) {
    parameters_.data_ptr<float>()[0] = static_cast<float>(-k);
  }

  double k() const { return -parameters_.data_ptr<float>()[0]; }
  double bias_gradient() const { return gradients_.data_ptr<float>()[bias_offset()]; }

  /// d(-P)/dk by the deterministic policy gradient: over the states that the policy visits from
  /// x = 1 and x = -1, weighted by their discount.
  double policy_gradient() {
    const double gain = 1 - 0.5 * k();
    for (std::int64_t i = 0; i < kRows; ++i) {
      const double x = std::pow(gain, i / 2);
      pass_.input().data_ptr<float>()[i] = static_cast<float>(i % 2 == 0 ? x : -x);
    }
    const at::Tensor& u = pass_.forward(parameters_, {}, nn::Mode::kTrain);
    const at::Tensor& gradient = pass_.output_gradient();
    actor_error(2, gradient);
    for (std::int64_t i = 0; i < kRows; ++i) {
      const double slope = action_gradient(k(), pass_.input().data_ptr<float>()[i],
                                           u.data_ptr<float>()[i * u.stride(1)]);
      gradient.data_ptr<float>()[i * gradient.stride(1)] *=
          static_cast<float>(std::pow(kGamma, i / 2) * slope);
    }
    pass_.backward(parameters_, gradients_, false);
    // The weight is -k and the loss is -J, so the signs cancel.
    return gradients_.data_ptr<float>()[0];
  }

  void step(std::int64_t number, double lr) {
    policy_gradient();
    kernels::adam_step(parameters_, gradients_[0], m_, v_, {}, number, {.lr = lr});
  }

 private:
  static constexpr std::int64_t kRows =
      128;  // 64 visits from either side; from k = 0.4 the rest is < 1e-13
  static nn::MlpSpec spec() {
    nn::MlpSpec spec;
    spec.input = spec.output = 1;
    return spec;
  }
  std::int64_t bias_offset() const { return mlp_.parameters().entries().at(1).offset; }

  nn::Mlp mlp_;
  at::Tensor parameters_, gradients_, m_, v_;
  nn::MlpPass pass_;
};

TEST(Lqr, ClosedFormsAreTheOnesOfTheOracle) {
  EXPECT_NEAR(cost_to_go(0.5), 2.2013422819, 1e-10);
  EXPECT_NEAR(cost_to_go(kOptimum), 1.3022695498, 1e-10);
  EXPECT_NEAR(-(cost_to_go(0.5 + 1e-6) - cost_to_go(0.5 - 1e-6)) / 2e-6, 3.1537318139, 1e-7);
}

TEST(Lqr, ActorsGradientIsThatOfTheReturn) {
  LinearActor actor(0.5);
  EXPECT_NEAR(actor.policy_gradient(), 3.1537318139, 3e-6);
  EXPECT_NEAR(actor.bias_gradient(), 0, 1e-6);  // states come in pairs of x and -x
  for (const double k : {0.4, 0.9, 1.2, 2.0}) {
    LinearActor other(k);
    const double h = 1e-6;
    const double slope = -(cost_to_go(other.k() + h) - cost_to_go(other.k() - h)) / (2 * h);
    EXPECT_NEAR(other.policy_gradient(), slope, 3e-6 * (1 + std::abs(slope))) << "k = " << k;
  }
}

TEST(Lqr, GradientVanishesAtTheOptimum) {
  EXPECT_NEAR(LinearActor(kOptimum).policy_gradient(), 0, 1e-6);
}

TEST(Lqr, AdamStepsOfTheActorFindTheOptimalGain) {
  for (const double start : {0.4, 2.5}) {
    LinearActor actor(start);
    for (int step = 1; step <= 2000; ++step) actor.step(step, 5e-3);
    EXPECT_NEAR(actor.k(), kOptimum, 1e-4) << "from k = " << start;
  }
}

}  // namespace
}  // namespace tenfold::ddpg
