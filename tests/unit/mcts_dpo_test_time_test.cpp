// Search at test time: several paths of a tree, answers that the search must not see, votes of
// solutions, what is counted and said on the way.
#include <gtest/gtest.h>

#include <map>

#include "base/error.hpp"
#include "mcts_dpo/evaluation.hpp"
#include "mcts_dpo/modes/search_pace.hpp"
#include "mcts_dpo/modes/searched_trees.hpp"
#include "mcts_dpo/search/answer_flags.hpp"
#include "mcts_dpo/search/leaf_votes.hpp"
#include "mcts_dpo/search/search_rules.hpp"
#include "mcts_dpo/search/step_expander.hpp"
#include "mcts_dpo/search/step_similarity.hpp"
#include "mcts_dpo/search/tree_pairs.hpp"
#include "mcts_dpo_tiny.hpp"
#include "search/search_pool.hpp"

namespace tenfold::mcts_dpo {
namespace {

using search::NodeId;
using search::Tree;

constexpr std::uint32_t kSeed = 5;
constexpr std::uint64_t kRound = 2;

Config small_config() {
  Config config;
  use_tiny_prompts(config);
  config.iterations_per_root = 9;
  config.root_breadth = 4;
  config.breadth = 2;
  config.depth_limit = 4;
  config.step_tokens = 7;
  config.solution_tokens = 24;
  return config;
}

std::map<std::uint64_t, SearchedTree> searched(Tiny& tiny, std::size_t count,
                                               std::size_t in_flight) {
  std::map<std::uint64_t, SearchedTree> found;
  StepExpander expander(tiny.config, tiny.prompts, tiny.decoder, kSeed, kRound,
                        [&](std::uint64_t id) -> const Question& { return tiny.questions[id]; });
  std::vector<std::uint64_t> ids(count);
  for (std::size_t i = 0; i < count; ++i) ids[i] = i;
  search::ListWork work(ids);
  search::SearchPool pool(search_options(tiny.config, kSeed), in_flight, expander, work,
                          [&](search::TreeSearch&& each) {
                            for (const std::uint32_t paths : each.under_way()) {
                              ASSERT_EQ(paths, 0U);
                            }
                            const std::vector<NodeId> committed(each.committed().begin(),
                                                                each.committed().end());
                            const std::uint64_t id = each.id();
                            found[id] = {each.take_tree(), committed};
                          });
  EXPECT_TRUE(pool.run());
  EXPECT_EQ(tiny.decoder.blocks().statistics().sequences, 0);
  return found;
}

// Every visit of a node goes on to one of its children. K more begin at each committed node, which
// the node above does not count.
void expect_totals(const SearchedTree& searched, std::uint32_t iterations) {
  const Tree& tree = searched.tree;
  EXPECT_EQ(tree.visits(0), iterations);
  for (NodeId node = 0; node < tree.size(); ++node) {
    if (!tree.has(node, search::kExpanded)) continue;
    std::uint32_t below = 0, expected = tree.visits(node);
    for (std::uint32_t k = 0; k < tree.child_count(node); ++k) {
      const NodeId child = tree.first_child(node) + k;
      below += tree.visits(child);
      const bool committed =
          std::count(searched.committed.begin(), searched.committed.end(), child);
      if (committed && child != searched.committed.back()) expected += iterations;
    }
    EXPECT_EQ(below, expected) << node;
  }
}

TEST(SeveralPaths, TotalsAgreeAndOtherTreesChangeNothing) {
  std::size_t other = 0;
  Config plain = small_config();
  Tiny serial(plain);
  const auto alone = searched(serial, 10, 1);
  for (const char* mode : {"loss", "wu"}) {
    Config config = small_config();
    config.virtual_mode = mode;
    config.paths_in_flight = 3;
    Tiny tiny(config);
    const auto one = searched(tiny, 10, 1), together = searched(tiny, 10, 4);
    ASSERT_EQ(one.size(), 10U);
    for (const auto& [id, tree] : one) {
      expect_totals(tree, 9);
      EXPECT_TRUE(tree.tree == together.at(id).tree);
      EXPECT_EQ(tree.committed, together.at(id).committed);
      other += tree.tree == alone.at(id).tree ? 0 : 1;
    }
  }
  EXPECT_GT(other, 5U) << "paths that saw each other";
}

// Without the bits that say what the search did not see.
bool same_but_for_answers(const Tree& a, const Tree& b) {
  if (a.size() != b.size()) return false;
  for (NodeId node = 0; node < a.size(); ++node) {
    search::NodeFacts mine = a.facts(node), other = b.facts(node);
    const std::uint32_t seen = ~std::uint32_t{kRightAnswer | kWrongAnswer};
    const bool same = mine.prior == other.prior && mine.log_prob == other.log_prob &&
                      mine.reward == other.reward &&
                      mine.self_evaluation == other.self_evaluation &&
                      mine.outcome == other.outcome && (mine.flags & seen) == (other.flags & seen);
    if (!same || a.q(node) != b.q(node) || a.visits(node) != b.visits(node)) return false;
    if (!std::ranges::equal(a.items(node), b.items(node))) return false;
  }
  return true;
}

TEST(HiddenOutcomes, NothingOfTheAnswerComesThrough) {
  Config config = small_config();
  config.self_evaluation = "forced";
  config.reference = "none";
  config.step_rule = "official";  // whose cap goes by the given solution's length
  config.outcomes = "hidden";
  config.unparsable_reward = -0.5;
  Tiny tiny(config), changed(config);
  for (Question& question : changed.questions) {
    question.answer = question.answer == "3" ? "5" : "3";
    question.solution.insert(question.solution.begin(), 9, "3 + 2 = 5");
  }
  const auto found = searched(tiny, 10, 10), other = searched(changed, 10, 10);
  std::size_t right = 0, wrong = 0, none = 0, differ = 0;
  for (const auto& [id, each] : found) {
    EXPECT_TRUE(same_but_for_answers(each.tree, other.at(id).tree));
    EXPECT_EQ(each.committed, other.at(id).committed);
    const Tree& tree = each.tree;
    const auto prompt = tree.items(0).size();
    for (NodeId node = 1; node < tree.size(); ++node) {
      const bool end = tree.has(node, search::kTerminal);
      const Tokens state = tree.state_items(node);
      const std::string text = tiny.prompts.text(std::span(state).subspan(prompt));
      const Verdict verdict = end ? judge(text, tiny.questions[id].answer) : Verdict::kUnparsable;
      EXPECT_EQ(tree.has(node, kRightAnswer), end && verdict == Verdict::kRight);
      EXPECT_EQ(tree.has(node, kWrongAnswer), end && verdict == Verdict::kWrong);
      const bool unparsable = end && verdict == Verdict::kUnparsable;
      EXPECT_EQ(tree.outcome(node), unparsable ? -0.5 : 0);
      EXPECT_EQ(tree.reward(node), tree.outcome(node) + tree.self_evaluation(node));
      right += tree.has(node, kRightAnswer) ? 1 : 0;
      wrong += tree.has(node, kWrongAnswer) ? 1 : 0;
      none += unparsable ? 1 : 0;
      differ += tree.has(node, kRightAnswer) != other.at(id).tree.has(node, kRightAnswer) ? 1 : 0;
    }
  }
  EXPECT_GT(right, 3U);
  EXPECT_GT(wrong, 3U);
  EXPECT_GT(none, 3U);
  EXPECT_GT(differ, 3U);
}

TEST(RightPath, AHalvedOutcomeAtTheRootIsStillRight) {
  Config config = small_config();
  config.graded_choices = true;
  config.step_tokens = config.solution_tokens;
  config.step_rule = "delimiter(answer)";  // whole solutions as first steps
  Tiny tiny(config);
  std::size_t right = 0;
  for (const auto& [id, each] : searched(tiny, 10, 10)) {
    for (NodeId node = 1; node < each.tree.size() && each.tree.depth(node) == 1; ++node) {
      if (!each.tree.has(node, kRightAnswer)) continue;
      ++right;
      EXPECT_EQ(each.tree.outcome(node), 0);
      EXPECT_TRUE(right_path(each.tree, std::vector<NodeId>{0, node}));
    }
  }
  EXPECT_GT(right, 1U);
}

Tree one_leaf(double outcome, std::uint32_t flags) {
  Tree tree;
  search::Expansion expansion;
  search::NodeFacts facts;
  facts.outcome = outcome;
  facts.flags = search::kTerminal | flags;
  expansion.add(facts, {});
  tree.expand(0, expansion, search::EdgeReward::kDifference);
  return tree;
}

TEST(RightPath, IsWhatTheAnswerWasAndNotWhatItEarned) {
  EXPECT_TRUE(answer_is_right(one_leaf(0, kRightAnswer), 1));
  EXPECT_FALSE(answer_is_right(one_leaf(0.45, kWrongAnswer), 1)) << "one of two letters";
  EXPECT_FALSE(answer_is_right(one_leaf(0.5, search::kUnparsable), 1)) << "--reward.unparsable 0.5";
  EXPECT_TRUE(answer_is_right(one_leaf(1, 0), 1)) << "a checkpoint without these bits";
  EXPECT_FALSE(answer_is_right(one_leaf(-1, 0), 1));
}

TEST(LeafVotes, AreSumsOverVisitedSolutions) {
  Config config = small_config();
  Tiny tiny(config);
  const auto leaf = [&](const char* text, std::uint32_t flags, double c) {
    search::NodeFacts facts;
    facts.flags = search::kTerminal | flags;
    facts.self_evaluation = c;
    return std::pair(facts, tiny.prompts.continuation(text));
  };
  Tree tree(tiny.prompts.question(tiny.questions[0]));
  search::Expansion root;
  root.add({}, tiny.prompts.continuation("\n"));
  for (const auto& [facts, tokens] :
       {leaf("The answer is 3", kRightAnswer, 0.2), leaf("The answer is 5", kWrongAnswer, 0.5),
        leaf("+ + +", search::kUnparsable, 1), leaf("The answer is 2", kWrongAnswer, 1)}) {
    root.add(facts, tokens);
  }
  tree.expand(0, root, search::EdgeReward::kDifference);
  search::Expansion below;
  const auto again = leaf("The answer is 3", kRightAnswer, 0.4);
  below.add(again.first, again.second);
  tree.expand(1, below, search::EdgeReward::kDifference);
  for (const auto& [node, visits] : {std::pair(1, 2), {2, 3}, {3, 4}, {4, 9}, {5, 0}, {6, 2}}) {
    tree.set_statistics(static_cast<NodeId>(node), static_cast<std::uint32_t>(visits), 0, 0);
  }
  const std::vector<LeafVote> votes = leaf_votes(tiny.prompts, tiny.questions[0], tree);
  ASSERT_EQ(votes.size(), 2U) << "no answer is no vote, and nor is what no path came to";
  EXPECT_EQ(votes[0].answer, "3");
  EXPECT_EQ(votes[0].visits, 5);
  EXPECT_DOUBLE_EQ(votes[0].weighted, 3 * 0.2 + 2 * 0.4);
  EXPECT_EQ(votes[1].answer, "5");
  EXPECT_DOUBLE_EQ(votes[1].weighted, 2);
  EXPECT_TRUE(vote_is_right(votes, &LeafVote::visits));
  EXPECT_FALSE(vote_is_right(votes, &LeafVote::weighted));
  EXPECT_FALSE(vote_is_right({}, &LeafVote::visits));
  EXPECT_TRUE(vote_is_right({{"a", 2, 0, true}, {"b", 2, 0, false}}, &LeafVote::visits))
      << "the first of equals";
}

TEST(StepTally, SaysWhichCapToRaise) {
  Config config = small_config();
  Tiny tiny(config);
  std::vector<SearchedTree> trees;
  for (auto& [id, each] : searched(tiny, 10, 10)) trees.push_back(std::move(each));
  StepTally counted;
  for (const SearchedTree& each : trees) {
    for (NodeId node = 1; node < each.tree.size(); ++node) {
      ++counted.steps;
      if (!each.tree.has(node, search::kTruncated)) continue;
      ++counted.truncated;
      const auto length = each.tree.state_items(node).size() - each.tree.items(0).size();
      counted.truncated_end += length == 24 ? 1 : 0;
    }
  }
  const StepTally tally = step_tally(config, trees);
  EXPECT_EQ(tally.steps, counted.steps);
  EXPECT_EQ(tally.truncated, counted.truncated);
  EXPECT_EQ(tally.truncated_end, counted.truncated_end);
  EXPECT_GT(tally.truncated_end, 0U);
  EXPECT_GT(tally.truncated, tally.truncated_end);

  EXPECT_EQ(truncation_warning(config, {20, 10, 0, 0}), "") << "half";
  EXPECT_EQ(truncation_warning(config, {20, 11, 5, 0}),
            "55 % of steps were cut at their cap of 7 tokens; take --step-tokens 14");
  EXPECT_EQ(truncation_warning(config, {20, 20, 11, 0}),
            "100 % of steps were cut at their cap of 24 tokens; take --solution-tokens 48");
  config.step_tokens = 20;
  EXPECT_EQ(truncation_warning(config, {4, 3, 0, 0}),
            "75 % of steps were cut at their cap of 20 tokens; take --step-tokens 40 "
            "--solution-tokens 40");
}

TEST(SearchPace, SaysWhatIsDoneHowFastAndWhenItEnds) {
  EXPECT_EQ(
      pace_line({12, 96, 4, 8120, 91000}, 0.83, 10),
      "search: 12 of 96 trees  812 children/s  9.10k tokens/s  batch 83 % full  eta 00:03:30");
  EXPECT_EQ(pace_line({0, 3, 0, 5, 40}, 1, 20),
            "search: 0 of 3 trees  0.25 children/s  2 tokens/s  batch 100 % full  eta ?");
}

TEST(StepSimilarity, ByHand) {
  // Two states of two numbers; the third token has none.
  const std::vector<std::int32_t> tokens{1, 2, 3}, other{4, 5, 6}, same_end{4, 5, 3};
  const std::vector<float> a{1, 0, 0, 2}, b{3, 0, 3, 4};
  // Cosines: (1, 0) with 1, .6; (0, 1) with 0, .8. Best of a: 1, .8; of b: 1, .8.
  EXPECT_NEAR(step_similarity({tokens, a, 2}, {other, b, 2}), 1.8 / 3, 1e-6);
  EXPECT_NEAR(step_similarity({tokens, a, 2}, {same_end, b, 2}), 2.8 / 3, 1e-6);
  EXPECT_NEAR(step_similarity({tokens, a, 2}, {tokens, a, 2}), 1, 1e-6);
  // One state against two: 1 and .6 of three tokens, 1 of two.
  const std::vector<std::int32_t> two{9, 7};
  const std::vector<float> one{5, 0};
  const double longer = 1.6 / 3, shorter = 1.0 / 2;
  EXPECT_NEAR(step_similarity({other, b, 2}, {two, one, 2}),
              2 * longer * shorter / (longer + shorter), 1e-6);
  // No state at all: by the tokens.
  const std::span end = std::span(two).last(1);
  EXPECT_EQ(step_similarity({end, {}, 2}, {end, {}, 2}), 1);
  EXPECT_EQ(step_similarity({end, {}, 2}, {std::span(tokens).last(1), {}, 2}), 0);
}

TEST(HiddenStates, AreThoseOfAWholePass) {
  for (const char* engine : {"fused", "torch"}) {
    Config config = small_config();
    config.engine = engine;
    Tiny tiny(config);
    const Tokens prompt = tiny.prompts.question(tiny.questions[2]);
    nn::GenerationRequest request, other;
    request.pending = other.pending = prompt;
    other.id = 1;
    request.keep_hidden = true;
    for (std::uint64_t k = 0; k < 3; ++k) {
      nn::SampleSpec sample;
      sample.key = sample_key(kSeed, SampleUse::kStep, 0, 0, 0, k);
      sample.most_tokens = 4 + static_cast<std::int64_t>(k);
      request.samples.push_back(sample);
      other.samples.push_back(sample);
    }
    nn::Generator& generator = tiny.decoder.generator();
    generator.submit(other);
    generator.submit(request);
    while (!generator.idle()) {
      for (const nn::GenerationResult& result : generator.advance()) {
        for (const nn::GeneratedSample& sample : result.samples) {
          tiny.decoder.blocks().release(sample.sequence);
          const std::size_t count = result.id == 0 ? (sample.tokens.size() - 1) * 16 : 0;
          ASSERT_EQ(sample.hidden.size(), count);
          if (result.id == 1) continue;
          Tokens all = prompt;
          all.insert(all.end(), sample.tokens.begin(), sample.tokens.end());
          const at::Tensor whole = tiny.hidden(all);
          const float* const expected = whole.data_ptr<float>() + prompt.size() * 16;
          for (std::size_t i = 0; i < count; ++i) {
            ASSERT_NEAR(sample.hidden[i], expected[i], 1e-4) << engine << " " << i;
          }
        }
      }
    }
  }
}

TEST(SearchIds, TheFirstSearchIsTheQuestionsOwn) {
  EXPECT_EQ(search_id(77, 0), 77U);
  EXPECT_EQ(question_of_search(search_id(77, 5)), 77U);
  EXPECT_NE(search_id(77, 5), search_id(77, 6));
}

}  // namespace
}  // namespace tenfold::mcts_dpo
