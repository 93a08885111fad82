// preference.json holds what TRL's published formulas give, by NumPy (make_preference.py): losses
// of pairs and their gradients.
#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "mcts_dpo/learning/preference_loss.hpp"

namespace tenfold::mcts_dpo {
namespace {

using Json = nlohmann::json;

at::Tensor column(const Json& one, const char* name) {
  return at::tensor(one.at(name).get<std::vector<double>>(), at::kDouble);
}

double gap(const at::Tensor& ours, const Json& one, const char* name) {
  return (ours - column(one, name)).abs().max().item<double>();
}

TEST(PreferenceLoss, IsTheOneThatTrlPublishes) {
  std::ifstream file(TENFOLD_SOURCE_DIR "/tests/golden/preference.json");
  const Json cases = Json::parse(file);
  ASSERT_EQ(cases.size(), 5U);
  for (const Json& one : cases) {
    PreferenceOptions options;
    options.loss = preference_loss_of(one.at("loss"));
    options.beta = one.at("beta");
    options.nll = one.at("nll");
    PreferenceTerms terms{column(one, "chosen"),
                          column(one, "rejected"),
                          column(one, "reference_chosen"),
                          column(one, "reference_rejected"),
                          at::tensor(std::vector<double>(6, one.at("smoothing")), at::kDouble),
                          column(one, "chosen_tokens"),
                          column(one, "rejected_tokens")};
    terms.winner.requires_grad_(true);
    terms.loser.requires_grad_(true);
    const at::Tensor losses = preference_loss(terms, options);
    losses.sum().backward();
    EXPECT_LT(gap(losses.detach(), one, "losses"), 1e-10) << one.dump();
    EXPECT_LT(gap(terms.winner.grad(), one, "chosen_gradient"), 1e-10) << one.dump();
    EXPECT_LT(gap(terms.loser.grad(), one, "rejected_gradient"), 1e-10) << one.dump();
  }
}

}  // namespace
}  // namespace tenfold::mcts_dpo
