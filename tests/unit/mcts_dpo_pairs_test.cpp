// Pairs of hand-made trees, the order of updates, calibration, pass@k and the step size: against
// closed values and counting.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <set>

#include "base/philox.hpp"
#include "mcts_dpo/evaluation.hpp"
#include "mcts_dpo/modes/lessons.hpp"
#include "mcts_dpo/search/calibration.hpp"
#include "mcts_dpo/search/tree_pairs.hpp"

namespace tenfold::mcts_dpo {
namespace {

using search::NodeId;
using search::Tree;

struct Leaf {
  std::int32_t token;
  double prior = 0.5, reward = 0, outcome = 0;
};

NodeId grow(Tree& tree, NodeId node, const std::vector<Leaf>& children) {
  search::Expansion expansion;
  expansion.clear();
  for (const Leaf& child : children) {
    search::NodeFacts facts;
    facts.prior = child.prior;
    facts.reward = child.reward;
    facts.outcome = child.outcome;
    expansion.add(facts, std::vector<std::int32_t>{child.token});
  }
  return tree.expand(node, expansion, search::EdgeReward::kDifference);
}

// root [1 2] -> a 3, b 4, c 5; a -> x 6, y 7 (right); x -> 8 -> 9. Numbers: a 1, b 2, c 3, x 4, y
// 5, then 6, 7.
Tree small_tree(double outcome = 1) {
  Tree tree(std::vector<std::int32_t>{1, 2}, {});
  grow(tree, 0, {{3}, {4}, {5}});
  grow(tree, 1, {{6}, {7, 0.5, outcome, outcome}});
  grow(tree, 4, {{8}});
  grow(tree, 6, {{9}});
  tree.set_statistics(1, 5, 0.9, 0);
  tree.set_statistics(2, 1, 0.1, 0);
  tree.set_statistics(3, 2, 0.5, 0);
  tree.set_statistics(4, 1, 0.2, 0);
  tree.set_statistics(5, 3, 0.8, 0);
  return tree;
}

struct Paired {
  std::vector<PreferencePair> pairs;
  PairTally tally;
};

Paired paired(const Config& config, const Tree& tree, std::vector<NodeId> committed = {0, 1, 5},
              std::int64_t longest = 100, std::uint64_t round = 0) {
  Paired result;
  result.pairs = pairs_of(config, tree, committed, 17, 3, round, longest, result.tally);
  return result;
}

using Tokens = std::vector<std::int32_t>;

TEST(PairsOf, AreTheBestAndTheWorstChildOfEveryCommittedStep) {
  const Paired found = paired({}, small_tree());
  ASSERT_EQ(found.pairs.size(), 2U);
  const PreferencePair &first = found.pairs[0], &second = found.pairs[1];
  EXPECT_EQ(first.prefix, (Tokens{1, 2}));
  EXPECT_EQ(first.winner, (Tokens{3}));
  EXPECT_EQ(first.loser, (Tokens{4}));
  EXPECT_DOUBLE_EQ(first.smoothing, 1.0 / 6);  // 1 of 5 + 1 visits
  EXPECT_DOUBLE_EQ(first.gap, 0.8);
  EXPECT_EQ(first.question, 17);
  EXPECT_EQ(second.prefix, (Tokens{1, 2, 3}));
  EXPECT_EQ(second.winner, (Tokens{7}));
  EXPECT_EQ(second.loser, (Tokens{6, 8, 9})) << "goes on through its only children";
  EXPECT_DOUBLE_EQ(second.smoothing, 0.25);
  EXPECT_DOUBLE_EQ(second.gap, 0.8 - 0.2);
  EXPECT_EQ(found.tally.trees, 1U);
  EXPECT_EQ(found.tally.kept, 2U);
}

TEST(PairsOf, TheLoserMayBeTheSecondBestOrAnyOfTheWorse) {
  Config config;
  config.loser = "second";
  EXPECT_EQ(paired(config, small_tree()).pairs[0].loser, (Tokens{5}));
  config.loser = "random";
  std::size_t worst = 0, second = 0;
  for (std::uint64_t round = 0; round < 400; ++round) {
    const Paired found = paired(config, small_tree(), {0, 1, 5}, 100, round);
    EXPECT_EQ(found.pairs[0].winner, (Tokens{3}));
    EXPECT_EQ(found.pairs[1].loser, (Tokens{6, 8, 9}));
    (found.pairs[0].loser == Tokens{4} ? worst : second) += 1;
    EXPECT_EQ(paired(config, small_tree(), {0, 1, 5}, 100, round).pairs[0].loser,
              found.pairs[0].loser);
  }
  // Binomial(400, 1/2): six standard deviations.
  EXPECT_NEAR(static_cast<double>(worst), 200, 60);
  EXPECT_EQ(worst + second, 400U);
}

TEST(PairsOf, TheBestIsAskedForWhateverWasCommittedTo) {
  const Paired found = paired({}, small_tree(), {0, 1, 5});
  Config any;
  any.require_right_path = false;
  const Paired other = paired(any, small_tree(), {0, 3});
  ASSERT_EQ(other.pairs.size(), 1U);
  EXPECT_EQ(other.pairs[0].winner, found.pairs[0].winner);
}

TEST(PairsOf, EqualQIsDecidedByVisitsThenReward) {
  Config config;
  config.min_gap = 0;
  config.require_right_path = false;
  Tree tree(std::vector<std::int32_t>{1}, {});
  grow(tree, 0, {{2, 0.3, 0.9}, {3, 0.6, 0.1}, {4, 0.3, 0.2}});
  for (NodeId node = 1; node <= 3; ++node) tree.set_statistics(node, node, 0.5, 0);
  const Paired found = paired(config, tree, {0, 1});
  ASSERT_EQ(found.pairs.size(), 1U);
  EXPECT_EQ(found.pairs[0].winner, (Tokens{4})) << "has the most visits, all else is the reward's";
  EXPECT_EQ(found.pairs[0].loser, (Tokens{3}));
  EXPECT_DOUBLE_EQ(found.pairs[0].smoothing, 2.0 / 5);

  // A commitment that is drawn weighs what was visited by its children: none here.
  config.commit_temperature = 0.5;
  Paired drawn = paired(config, tree, {0, 1});
  EXPECT_EQ(drawn.pairs[0].winner, (Tokens{2}));
  EXPECT_EQ(drawn.pairs[0].loser, (Tokens{3}));
  EXPECT_DOUBLE_EQ(drawn.pairs[0].smoothing, 0.5) << "one visit against two: at most a half";
  grow(tree, 2, {{5}});
  drawn = paired(config, tree, {0, 1});
  EXPECT_EQ(drawn.pairs[0].winner, (Tokens{3, 5}));
  tree.set_statistics(1, 0, 0.5, 0);
  EXPECT_EQ(paired(config, tree, {0, 1}).pairs[0].loser, (Tokens{2}));
}

TEST(PairsOf, WhatIsLeftOutIsCounted) {
  Config config;
  config.min_gap = 0.7;
  Paired found = paired(config, small_tree());
  EXPECT_EQ(found.pairs.size(), 1U);
  EXPECT_EQ(found.tally.small_gap, 1U);

  config = {};
  found = paired(config, small_tree(-1));
  EXPECT_TRUE(found.pairs.empty());
  EXPECT_EQ(found.tally.wrong_path, 1U);
  config.require_right_path = false;
  EXPECT_EQ(paired(config, small_tree(-1)).pairs.size(), 2U);

  config = {};
  config.most_pairs = 1;
  found = paired(config, small_tree());
  EXPECT_EQ(found.pairs.size(), 1U);
  EXPECT_EQ(found.tally.over_limit, 1U);

  config = {};
  EXPECT_EQ(paired(config, small_tree(), {0, 1, 5}, 6).pairs.size(), 2U);
  found = paired(config, small_tree(), {0, 1, 5}, 5);  // the second loser comes to six tokens
  EXPECT_EQ(found.pairs.size(), 1U);
  EXPECT_EQ(found.tally.too_long, 1U);

  config.require_right_path = false;
  found = paired(config, small_tree(), {0, 1, 4, 6, 7});
  EXPECT_EQ(found.pairs.size(), 2U);
  EXPECT_EQ(found.tally.only_child, 2U);
}

TEST(PairsOf, SmoothingCanBeConstantOrNone) {
  Config config;
  config.smoothing = "none";
  EXPECT_EQ(paired(config, small_tree()).pairs[1].smoothing, 0);
  config.smoothing = "constant";
  config.smoothing_constant = 0.2;
  EXPECT_EQ(paired(config, small_tree()).pairs[1].smoothing, 0.2);
}

Lessons lessons_of(const std::vector<std::int64_t>& questions) {
  Lessons lessons;
  for (const std::int64_t question : questions) {
    lessons.pairs.emplace_back();
    lessons.pairs.back().question = question;
  }
  return lessons;
}

TEST(PlanUpdates, EveryPassTakesEachLessonOnceAndKeepsAQuestionTogether) {
  Config config;
  config.passes = 3;
  config.batch = 4;
  const std::vector<std::int64_t> questions{0, 0, 1, 2, 2, 2, 5, 6, 6, 9};
  const Lessons lessons = lessons_of(questions);
  const auto updates = plan_updates(config, lessons, 1, 0);
  ASSERT_EQ(updates.size(), 3U * 3U);
  std::set<std::vector<std::size_t>> orders;
  for (std::size_t pass = 0; pass < 3; ++pass) {
    std::vector<std::size_t> order;
    for (std::size_t u = 0; u < 3; ++u) {
      const auto& batch = updates[3 * pass + u];
      EXPECT_EQ(batch.size(), u < 2 ? 4U : 2U);
      order.insert(order.end(), batch.begin(), batch.end());
    }
    orders.insert(order);
    for (std::size_t i = 1; i < order.size(); ++i) {
      const bool begins = order[i] == 0 || questions[order[i]] != questions[order[i] - 1];
      EXPECT_TRUE(begins || order[i] == order[i - 1] + 1);
    }
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i);
  }
  EXPECT_EQ(orders.size(), 3U) << "every pass has an order of its own";
  EXPECT_EQ(plan_updates(config, lessons, 1, 0), updates);
  EXPECT_NE(plan_updates(config, lessons, 1, 1), updates);
  EXPECT_NE(plan_updates(config, lessons, 2, 0), updates);
  EXPECT_TRUE(plan_updates(config, {}, 1, 0).empty());
}

TEST(LessonsOfTeacher, GoThroughAllOfThemBeforeOneComesAgain) {
  std::vector<Imitation> teacher(7);
  for (std::int32_t i = 0; i < 7; ++i) teacher[static_cast<std::size_t>(i)].tokens = {i};
  std::set<std::int32_t> seen;
  for (std::uint64_t round = 0; round < 3; ++round) {
    const Lessons lessons = lessons_of_teacher(teacher, round, 2, 1);
    EXPECT_EQ(lessons.sequences.size(), 2U);
    for (const Imitation& each : lessons.sequences) EXPECT_TRUE(seen.insert(each.tokens[0]).second);
  }
  EXPECT_EQ(lessons_of_teacher(teacher, 0, 20, 1).sequences.size(), 7U);
}

TEST(AreaUnderCurve, CountsPairsInTheRightOrder) {
  base::Stream stream(1, base::Purpose::kTest, 0, 0);
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::vector<Opinion> opinions;
    for (int i = 0; i < 40; ++i) {
      const double rough = static_cast<double>(stream.below(8)) / 8;  // with ties
      opinions.push_back({rough, stream.uniform() < 0.3 + 0.4 * rough});
    }
    double good = 0, pairs = 0;
    for (const Opinion& right : opinions) {
      for (const Opinion& wrong : opinions) {
        if (!right.right || wrong.right) continue;
        pairs += 1;
        if (right.confidence > wrong.confidence) good += 1;
        if (right.confidence == wrong.confidence) good += 0.5;
      }
    }
    EXPECT_NEAR(area_under_curve(opinions), good / pairs, 1e-12);
  }
  EXPECT_TRUE(std::isnan(area_under_curve({{0.5, true}, {0.7, true}})));
  EXPECT_TRUE(std::isnan(area_under_curve({})));
}

TEST(ExpectedCalibrationError, WeighsTheGapsOfTenBins) {
  // Bin 0.2: 0.21 and 0.25, one right: |0.46 - 1|; bin 0.9: 0.95 and 1, both right: |1.95 - 2|.
  const std::vector<Opinion> opinions{{0.21, true}, {0.25, false}, {0.95, true}, {1.0, true}};
  EXPECT_NEAR(expected_calibration_error(opinions), (0.54 + 0.05) / 4, 1e-12);
  EXPECT_NEAR(expected_calibration_error(std::vector<Opinion>{{0, false}, {1, true}}), 0, 1e-15);
  EXPECT_TRUE(std::isnan(expected_calibration_error({})));
}

TEST(PassAtK, IsTheShareOfSubsetsWithARightSample) {
  constexpr int kSamples = 7;
  for (int right = 0; right <= kSamples; ++right) {
    for (int k = 1; k <= kSamples; ++k) {
      double with = 0, all = 0;
      for (unsigned set = 0; set < 1U << kSamples; ++set) {
        if (std::popcount(set) != k) continue;
        all += 1;
        with += (set & ((1U << right) - 1U)) != 0 ? 1 : 0;  // the first are the right ones
      }
      EXPECT_NEAR(pass_at_k(kSamples, right, k), with / all, 1e-12) << right << " " << k;
    }
  }
}

// Of update number step of so many.
double rate_of(const Config& config, std::int64_t step, double all) {
  const auto at = static_cast<double>(step);
  return learning_rate(config, {step, at / all, (at + 1) / all});
}

TEST(LearningRate, WarmsUpAndFallsAsACosine) {
  Config config;
  config.lr = 2;
  EXPECT_EQ(rate_of(config, 7, 10), 2);
  config.lr_warmup = 4;
  EXPECT_EQ(rate_of(config, 0, 10), 0.5);
  EXPECT_EQ(rate_of(config, 3, 10), 2);
  config.lr_schedule = "cosine";
  config.lr_final = 1;
  EXPECT_EQ(rate_of(config, 1, 12), 1);
  EXPECT_NEAR(rate_of(config, 6, 12), 1.5, 1e-12);
  EXPECT_NEAR(rate_of(config, 12, 12), 1, 1e-12);
  config.lr_cycle = 12;
  EXPECT_EQ(rate_of(config, 12, 100), 0.5);
  EXPECT_NEAR(rate_of(config, 20, 100), 1.5, 1e-12);
  EXPECT_NEAR(rate_of(config, 18, 100), 1 + 0.5 * (1 + std::numbers::sqrt2 / 2), 1e-12);
}

TEST(LearningRate, AWarmUpMayBeAShareOfTheRun) {
  Config config;
  config.lr = 2;
  config.lr_warmup_share = 0.2;
  config.lr_schedule = "cosine";
  EXPECT_NEAR(rate_of(config, 0, 100), 0.1, 1e-12);
  EXPECT_NEAR(rate_of(config, 18, 100), 1.9, 1e-12);
  EXPECT_NEAR(rate_of(config, 20, 100), 2, 1e-12);
  EXPECT_NEAR(rate_of(config, 60, 100), 1, 1e-12);
  EXPECT_NEAR(rate_of(config, 100, 100), 0, 1e-12);
}

}  // namespace
}  // namespace tenfold::mcts_dpo
