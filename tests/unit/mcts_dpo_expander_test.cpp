// Children of search nodes, drawn in one batch from shared keys and values, against each of them
// drawn alone by whole forward passes.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "mcts_dpo/answers/compare.hpp"
#include "mcts_dpo/search/search_rules.hpp"
#include "mcts_dpo/search/step_expander.hpp"
#include "mcts_dpo_tiny.hpp"
#include "search/search_pool.hpp"

namespace tenfold::mcts_dpo {
namespace {

using search::NodeId;
using search::Tree;

constexpr std::uint32_t kSeed = 5;
constexpr std::uint64_t kRound = 2;

struct Searched {
  std::map<std::uint64_t, Tree> trees;
  std::uint64_t evictions = 0;
  ExpanderStatistics statistics;
  std::uint64_t long_evaluations = 0;
  std::int64_t held = 0;  ///< sequences that are left in the cache
};

Searched searched(Tiny& tiny, std::size_t count, std::size_t in_flight) {
  Searched found;
  StepExpander expander(tiny.config, tiny.prompts, tiny.decoder, kSeed, kRound,
                        [&](std::uint64_t id) -> const Question& { return tiny.questions[id]; });
  std::vector<std::uint64_t> ids(count);
  for (std::size_t i = 0; i < count; ++i) ids[i] = i;
  search::ListWork work(ids);
  search::SearchPool pool(search_options(tiny.config, kSeed), in_flight, expander, work,
                          [&](search::TreeSearch&& search) {
                            const std::uint64_t id = search.id();
                            found.trees.emplace(id, search.take_tree());
                          });
  EXPECT_TRUE(pool.run());
  found.evictions = expander.evictions();
  found.statistics = expander.statistics();
  found.long_evaluations = expander.long_evaluations();
  found.held = tiny.decoder.blocks().statistics().sequences;
  return found;
}

struct Child {
  Tokens tokens;
  double log_prob = 0;
  bool terminal = false, truncated = false, injected = false;
};

// One tree's nodes, each computed again from the tokens on the way to it.
class Naive {
 public:
  Naive(const Tiny& tiny, std::uint64_t id, const Tree& tree)
      : tiny_(tiny), config_(tiny.config), id_(id), tree_(tree), question_(tiny.questions[id]) {}

  void check(NodeId node) {
    const Tokens path = tree_.state_items(node);
    std::vector<Child> expected;
    if (config_.inject_solution) {
      if (auto gold = injected(path, node)) expected.push_back(std::move(*gold));
    }
    const bool whole = config_.force_terminate && last(node);
    const std::int64_t count = whole ? 1 : node == 0 ? config_.root_breadth : config_.breadth;
    for (std::int64_t k = 0; k < count; ++k) {
      Child child = sampled(path, node, static_cast<std::uint64_t>(k), whole);
      const bool known = std::any_of(expected.begin(), expected.end(), [&](const Child& other) {
        return other.tokens == child.tokens || alike(path, other, child);
      });
      if (!known) expected.push_back(std::move(child));
    }
    ASSERT_EQ(tree_.child_count(node), expected.size());
    for (std::uint32_t k = 0; k < expected.size(); ++k) {
      check_child(node, tree_.first_child(node) + k, expected[k]);
    }
  }

 private:
  std::int64_t prompt() const { return static_cast<std::int64_t>(tree_.items(0).size()); }
  bool last(NodeId node) const {
    return static_cast<std::int64_t>(tree_.depth(node)) + 1 >= config_.depth_limit;
  }
  std::int64_t left(const Tokens& path) const {
    const auto length = static_cast<std::int64_t>(path.size());
    return std::min(config_.solution_tokens - (length - prompt()),
                    tiny_.model.config().positions - length);
  }
  std::int32_t end() const { return *tiny_.tokenizer->eos(); }
  std::int32_t newline() const { return *tiny_.tokenizer->token_id("\n"); }

  double temperature(NodeId node, std::uint64_t child) const {
    if (node == 0) return config_.root_temperature;
    const auto key =
        sample_key(kSeed, SampleUse::kTemperature, kRound, id_, tree_.path_key(node), child);
    return nn::token_uniform(key, 0) < config_.temperature_share ? config_.temperature : 1;
  }

  // The first token, in order of ids, at which the probabilities reach the uniform number.
  static std::int32_t drawn(std::vector<double> log_prob, double temperature, double uniform,
                            std::int64_t top_k) {
    std::vector<double> sorted = log_prob;
    std::sort(sorted.rbegin(), sorted.rend());
    if (temperature == 0) {
      return static_cast<std::int32_t>(std::max_element(log_prob.begin(), log_prob.end()) -
                                       log_prob.begin());
    }
    double sum = 0;
    for (double& each : log_prob) {
      const bool kept = top_k == 0 || each >= sorted[static_cast<std::size_t>(top_k - 1)];
      each = kept ? std::exp(each / temperature) : 0;
      sum += each;
    }
    double reached = 0;
    for (std::size_t i = 0; i < log_prob.size(); ++i) {
      reached += log_prob[i];
      if (uniform * sum < reached) return static_cast<std::int32_t>(i);
    }
    return -1;
  }

  bool step_ends(const Tokens& step) const {
    const std::string rule = config_.step_rule;
    if (rule.starts_with("token(")) return step.size() == std::stoul(rule.substr(6));
    const bool text = std::any_of(step.begin(), step.end(), [&](std::int32_t token) {
      return token != newline() && token != tiny_.tokenizer->bos();
    });
    return step.back() == newline() && text;
  }

  Child sampled(Tokens path, NodeId node, std::uint64_t child, bool whole) const {
    const std::int64_t room = left(path);
    const std::int64_t cap = whole ? room : std::min(config_.step_tokens, room);
    const nn::SampleKey key =
        sample_key(kSeed, SampleUse::kStep, kRound, id_, tree_.path_key(node), child);
    Child result;
    while (true) {
      const std::vector<double> after = tiny_.after(path);
      const auto t = static_cast<std::uint32_t>(result.tokens.size());
      const std::int32_t token =
          drawn(after, temperature(node, child), nn::token_uniform(key, t), config_.top_k);
      result.tokens.push_back(token);
      result.log_prob += after[static_cast<std::size_t>(token)];
      path.push_back(token);
      if (token == end()) {
        result.terminal = true;
        break;
      }
      if (!whole && step_ends(result.tokens)) break;
      if (static_cast<std::int64_t>(result.tokens.size()) == cap) {
        result.truncated = true;
        break;
      }
    }
    const bool full = static_cast<std::int64_t>(result.tokens.size()) == room;
    result.terminal = result.terminal || full || last(node);
    return result;
  }

  // Means of the best cosines both ways; last tokens, whose states are not known, by what they are.
  bool alike(const Tokens& path, const Child& a, const Child& b) const {
    if (config_.dedup_similarity == 0 || a.tokens.size() < 2 || b.tokens.size() < 2) return false;
    const auto states = [&](const Child& child) {
      Tokens all = path;
      all.insert(all.end(), child.tokens.begin(), child.tokens.end());
      const auto count = static_cast<std::int64_t>(child.tokens.size());
      const at::Tensor own = tiny_.hidden(all).narrow(0, std::ssize(path), count - 1);
      return own / own.norm(2, 1, true);
    };
    const double last = a.tokens.back() == b.tokens.back() ? 1 : 0;
    const at::Tensor cosines = states(a).matmul(states(b).t());
    const auto mean = [&](std::int64_t over) {
      const at::Tensor best = cosines.amax(over);
      return (best.sum().item<double>() + last) / static_cast<double>(best.size(0) + 1);
    };
    return 2 * mean(0) * mean(1) / (mean(0) + mean(1)) > config_.dedup_similarity;
  }

  std::optional<Child> injected(const Tokens& path, NodeId node) const {
    const Tokens gold = tiny_.prompts.solution(question_);
    const Tokens done(path.begin() + static_cast<std::ptrdiff_t>(prompt()), path.end());
    if (done.size() >= gold.size() || !std::equal(done.begin(), done.end(), gold.begin()))
      return {};
    Child child;
    child.injected = true;
    Tokens read = path;
    for (std::size_t i = done.size(); i < gold.size(); ++i) {
      child.log_prob += tiny_.after(read)[static_cast<std::size_t>(gold[i])];
      read.push_back(gold[i]);
      child.tokens.push_back(gold[i]);
      const bool whole = config_.force_terminate && last(node);
      if (!whole && step_ends(child.tokens)) break;
    }
    if (static_cast<std::int64_t>(child.tokens.size()) > left(path)) return {};
    child.terminal = child.tokens.back() == end();
    return child;
  }

  double opinion(NodeId node, const Tokens& partial) const {
    if (config_.self_evaluation == "off") return 1;
    Tokens asked = tiny_.prompts.evaluation(question_, tiny_.prompts.text(partial));
    if (static_cast<std::int64_t>(asked.size()) + 4 > tiny_.model.config().positions) {
      return node == 0 ? 0.5 : tree_.self_evaluation(node);
    }
    const auto right = static_cast<std::size_t>(tiny_.prompts.right());
    const auto wrong = static_cast<std::size_t>(tiny_.prompts.wrong());
    if (config_.self_evaluation == "forced") {
      const std::vector<double> after = tiny_.after(asked);
      return 1 / (1 + std::exp(after[wrong] - after[right]));
    }
    const auto yes = static_cast<std::size_t>(*tiny_.tokenizer->token_id("yes"));
    const auto no = static_cast<std::size_t>(*tiny_.tokenizer->token_id("no"));
    for (int i = 0; i < 4; ++i) {
      const std::vector<double> after = tiny_.after(asked);
      const auto token =
          static_cast<std::size_t>(std::max_element(after.begin(), after.end()) - after.begin());
      if (token == right || token == wrong || token == yes || token == no) {
        return std::exp(after[right]) + std::exp(after[yes]);
      }
      if (static_cast<std::int32_t>(token) == end()) break;
      asked.push_back(static_cast<std::int32_t>(token));
    }
    return tree_.reward(node);
  }

  void check_child(NodeId node, NodeId child, const Child& expected) const {
    const auto items = tree_.items(child);
    ASSERT_EQ(Tokens(items.begin(), items.end()), expected.tokens);
    EXPECT_NEAR(tree_.log_prob(child), expected.log_prob, 1e-4);
    const double penalty = std::pow(expected.tokens.size(), config_.prior_exponent);
    const double prior = config_.prior == "paper" ? std::exp(expected.log_prob) / penalty
                                                  : std::exp(expected.log_prob / penalty);
    EXPECT_NEAR(tree_.prior(child), prior, 1e-4 * prior);
    EXPECT_EQ(tree_.has(child, search::kTerminal), expected.terminal);
    EXPECT_EQ(tree_.has(child, search::kTruncated), expected.truncated);
    EXPECT_EQ(tree_.has(child, search::kInjected), expected.injected);
    const Tokens state = tree_.state_items(child);
    const Tokens partial(state.begin() + static_cast<std::ptrdiff_t>(prompt()), state.end());
    const double c = opinion(node, partial);
    EXPECT_NEAR(tree_.self_evaluation(child), c, 1e-5);
    double outcome = 0;
    if (expected.terminal) {
      const Verdict verdict = judge(tiny_.prompts.text(partial), question_.answer);
      outcome = verdict == Verdict::kRight        ? 1
                : verdict == Verdict::kUnparsable ? config_.unparsable_reward
                                                  : -1;
    }
    EXPECT_EQ(tree_.outcome(child), outcome);
    EXPECT_EQ(tree_.reward(child), outcome + tree_.self_evaluation(child));
  }

  const Tiny& tiny_;
  const Config& config_;
  std::uint64_t id_;
  const Tree& tree_;
  const Question& question_;
};

Config small_config() {
  Config config;
  use_tiny_prompts(config);
  config.iterations_per_root = 4;
  config.root_breadth = 3;
  config.breadth = 2;
  config.depth_limit = 4;
  config.step_tokens = 7;
  config.solution_tokens = 24;
  config.unparsable_reward = -0.5;
  return config;
}

struct Case {
  const char* name;
  void (*change)(Config&);
};
void PrintTo(const Case& one, std::ostream* to) {
  *to << one.name;
}

class StepExpanderIs : public testing::TestWithParam<Case> {};

TEST_P(StepExpanderIs, WhatEachChildIsAlone) {
  Config config = small_config();
  GetParam().change(config);
  Tiny tiny(config);
  const Searched found = searched(tiny, 4, 3);
  ASSERT_EQ(found.trees.size(), 4U);
  std::size_t expanded = 0;
  for (const auto& [id, tree] : found.trees) {
    Naive naive(tiny, id, tree);
    for (NodeId node = 0; node < tree.size(); ++node) {
      if (!tree.has(node, search::kExpanded)) continue;
      ++expanded;
      naive.check(node);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(expanded, 12U);
  EXPECT_EQ(found.held, 0) << "sequences of trees that ended";
  EXPECT_EQ(found.statistics.similar > 4, config.dedup_similarity > 0);
}

INSTANTIATE_TEST_SUITE_P(Options, StepExpanderIs,
                         testing::Values(Case{"Plain", [](Config&) {}},
                                         Case{"SelfEvaluation",
                                              [](Config& c) {
                                                c.self_evaluation = "forced";
                                                c.temperature = 0.4;
                                                c.temperature_share = 0.5;
                                                c.top_k = 6;
                                              }},
                                         Case{"OfficialSelfEvaluation",
                                              [](Config& c) {
                                                c.self_evaluation = "official";
                                                c.prior = "paper";
                                                c.root_temperature = 2;
                                              }},
                                         Case{"InjectedAndDuplicates",
                                              [](Config& c) {
                                                c.inject_solution = true;
                                                c.force_terminate = false;
                                                c.temperature = c.root_temperature = 0.3;
                                              }},
                                         Case{"AlikeSiblings",
                                              [](Config& c) {
                                                c.dedup_similarity = 0.8;
                                                c.root_breadth = 6;
                                                c.breadth = 4;
                                              }},
                                         Case{"TokenSteps",
                                              [](Config& c) {
                                                c.step_rule = "token(3)";
                                                c.solution_tokens = 11;
                                                c.depth_limit = 6;
                                              }},
                                         Case{"Greedy",
                                              [](Config& c) {
                                                c.root_temperature = c.temperature = 0;
                                                c.temperature_share = 1;
                                              }}),
                         [](const auto& one) { return std::string(one.param.name); });

// Cuts of the official rules put an end behind text that went on.
TEST(StepExpander, RecordsWhatEveryStepsTokensAreWorthUnderOfficialRules) {
  Config config = small_config();
  config.step_rule = "official";
  config.step_tokens = 12;
  config.solution_tokens = 60;
  config.root_breadth = config.breadth = 6;
  Tiny tiny(config);
  const Searched found = searched(tiny, 8, 3);
  EXPECT_GT(found.statistics.ends_appended, 4U);
  for (const auto& [id, tree] : found.trees) {
    for (NodeId node = 1; node < tree.size(); ++node) {
      Tokens path = tree.state_items(tree.parent(node));
      double sum = 0;
      for (const std::int32_t token : tree.items(node)) {
        sum += tiny.after(path)[static_cast<std::size_t>(token)];
        path.push_back(token);
      }
      ASSERT_NEAR(tree.log_prob(node), sum, 1e-5) << "tree " << id << ", node " << node;
    }
  }
}

TEST(StepExpander, CountsWhatItGives) {
  Config config = small_config();
  config.inject_solution = true;
  Tiny tiny(config);
  const Searched found = searched(tiny, 5, 5);
  ExpanderStatistics counted;
  for (const auto& [id, tree] : found.trees) {
    for (NodeId node = 1; node < tree.size(); ++node) {
      ++counted.steps;
      counted.truncated += tree.has(node, search::kTruncated) ? 1 : 0;
      counted.injected += tree.has(node, search::kInjected) ? 1 : 0;
    }
  }
  EXPECT_EQ(found.statistics.steps, counted.steps);
  EXPECT_EQ(found.statistics.truncated, counted.truncated);
  EXPECT_EQ(found.statistics.injected, counted.injected);
  EXPECT_GT(counted.truncated, 0U);
  EXPECT_GT(counted.injected, 4U);
}

TEST(StepExpander, ALongEvaluationHasTheOpinionOfTheStepsBefore) {
  Config config = small_config();
  config.self_evaluation = "forced";
  config.prompt_evaluation =
      "{reference}{reference}{reference}{reference}{question}\\n{partial}\\n{options} ?";
  Tiny tiny(config);
  const Searched found = searched(tiny, 3, 3);
  EXPECT_GT(found.long_evaluations, 0U);
  for (const auto& [id, tree] : found.trees) {
    for (NodeId node = 0; node < tree.size(); ++node) {
      if (tree.has(node, search::kExpanded)) Naive(tiny, id, tree).check(node);
    }
  }
}

TEST(StepExpander, GivesTheSameTreesWithHardlyAnyCache) {
  Config config = small_config();
  config.self_evaluation = "forced";
  config.iterations_per_root = 8;
  Tiny roomy(config, 128);
  const Searched alone = searched(roomy, 16, 1);
  EXPECT_EQ(alone.evictions, 0U);
  Config narrow = config;
  narrow.cache_mib = 1;  // 32 blocks of 16 tokens
  Tiny tight(narrow, 128);
  ASSERT_EQ(tight.decoder.blocks().options().blocks, 32);
  const Searched together = searched(tight, 16, 16);
  EXPECT_GT(together.evictions, 16U);
  EXPECT_TRUE(alone.trees == together.trees);
  EXPECT_EQ(together.held, 0);
}

}  // namespace
}  // namespace tenfold::mcts_dpo
