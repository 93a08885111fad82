#include <gtest/gtest.h>

#include <vector>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "mcts_dpo/data/steps.hpp"

namespace tenfold::mcts_dpo {
namespace {

using Pieces = std::vector<std::string>;

/// The steps of a stream; look-ahead tokens are given again, as a sampler would. The rest is the
/// last.
Pieces steps_of(const std::string& rules, const Pieces& pieces) {
  StepSplitter splitter(parse_step_rules(rules));
  Pieces steps;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::optional<std::size_t> tokens = splitter.push(pieces[i]);
    if (!tokens) continue;
    EXPECT_GE(*tokens, 1U);
    EXPECT_LE(begin + *tokens, i + 1);
    EXPECT_GE(begin + *tokens, i);
    std::string step;
    for (std::size_t j = begin; j < begin + *tokens; ++j) step += pieces[j];
    steps.push_back(step);
    begin += *tokens;
    i = begin - 1;
  }
  if (splitter.tokens() > 0) steps.push_back(splitter.text());
  return steps;
}

TEST(Steps, Newline) {
  EXPECT_EQ(steps_of("newline", {"12", " +", " 5", "\n", "The", " answer", "\n", "\n", "x"}),
            (Pieces{"12 + 5\n", "The answer\n", "\nx"}));
  EXPECT_EQ(steps_of("newline", {"\n", "\n", "a", "\n\n", "b"}), (Pieces{"\n\na\n\n", "b"}));
  EXPECT_EQ(steps_of("newline", {"a\nb", "c"}), (Pieces{"a\nb", "c"}));
  EXPECT_EQ(steps_of("newline", {"", "a", "", "\n"}), (Pieces{"a\n"}));
  EXPECT_EQ(steps_of("newline", {}), Pieces{});
}

TEST(Steps, Sentences) {
  EXPECT_EQ(
      steps_of("sentence", {"It", " is", " 3", ".", "5", " m", ".", " So", " what", "?", " No"}),
      (Pieces{"It is 3.5 m.", " So what?", " No"}));
  EXPECT_EQ(steps_of("sentence", {"1", ".", " First", ",", " go", ".", "\n", "2", ".", " Then"}),
            (Pieces{"1. First, go.\n", "2. Then"}));
  EXPECT_EQ(steps_of("sentence", {"He", " said", " no", ".", "\"", " And", " left", "\n", "x"}),
            (Pieces{"He said no.\"", " And left\n", "x"}));
  // The end lies inside a token: all of the token belongs to the step.
  EXPECT_EQ(steps_of("sentence", {"Well done. So", " it", " is"}),
            (Pieces{"Well done. So", " it is"}));
}

TEST(Steps, TokensAndDelimiters) {
  EXPECT_EQ(steps_of("token(2)", {"a", "b", "c", "d", "e"}), (Pieces{"ab", "cd", "e"}));
  EXPECT_EQ(steps_of("delimiter(\\n\\n|;)", {";", "a", "\n", "\n", "b", ";", "c"}),
            (Pieces{";a\n\n", "b;", "c"}));
  const std::string far(10'000, 'x');
  EXPECT_EQ(steps_of("delimiter(;)", {far, ";", "c"}), (Pieces{far + ";", "c"}));
}

TEST(Steps, OfAnyStreamTheyAreItsTokensInOrder) {
  const Pieces alphabet = {"a", " b", ".",   " .",  "\n",          "\n\n",
                           "",  " 1", ". c", "?\"", " answer is 3"};
  for (const char* rules : {"newline", "sentence", "token(3)", "delimiter(b.?)"}) {
    for (std::uint32_t i = 0; i < 300; ++i) {
      base::Stream stream(2, base::Purpose::kTest, i, 0);
      Pieces pieces(stream.below(40));
      std::string whole, joined;
      for (std::string& piece : pieces) whole += piece = alphabet[stream.below(alphabet.size())];
      for (const std::string& step : steps_of(rules, pieces)) joined += step;
      EXPECT_EQ(joined, whole) << rules;
    }
  }
}

TEST(Steps, RulesAreReadOrRefused) {
  EXPECT_EQ(parse_step_rules("token(16)").tokens, 16U);
  EXPECT_EQ(parse_step_rules("delimiter(a(b))").delimiter, "a(b)");
  EXPECT_EQ(parse_step_rules("official").kind, StepRules::Kind::kOfficial);
  for (const char* wrong :
       {"", "line", "token", "token()", "token(0)", "token(-1)", "token(3x)",
        "token(99999999999999999999)", "delimiter()", "delimiter([)", "delimiter(a*)"}) {
    EXPECT_THROW(parse_step_rules(wrong), base::Error) << wrong;
  }
}

TEST(Steps, AnAnswerIsStated) {
  EXPECT_TRUE(states_answer("The answer is 5"));
  EXPECT_TRUE(states_answer("The answer is: (B)"));
  EXPECT_FALSE(states_answer("The answer is"));
  EXPECT_FALSE(states_answer("The answer is: \n"));
  EXPECT_FALSE(states_answer("The answer isn't 5"));
}

OfficialStep cut(const Pieces& pieces, const OfficialSample& sample) {
  return official_step(pieces, sample);
}

TEST(StepsOfficial, LinesAndAnswers) {
  const Pieces two = {"3", " +", " 4", " = 7", "\n", "7 * 2", " = 14", "\n", "so"};
  EXPECT_EQ(cut(two, {.cap = 100}).tokens, 9U);
  EXPECT_FALSE(cut(two, {.cap = 100}).ends_solution);
  // Cut by the cap: the last line is unfinished.
  EXPECT_EQ(cut(two, {.cap = 9}).tokens, 8U);
  EXPECT_EQ(cut(two, {.cap = 10}).tokens, 8U);
  EXPECT_EQ(cut(two, {.cap = 11}).tokens, 9U);  // 9 of 11 is below 7/8
  // Three characters are no line of their own.
  EXPECT_EQ(cut({"So:", "\n", "3 + 4", "\n", "then"}, {.cap = 5}).tokens, 4U);
  EXPECT_EQ(cut({"Now:", "\n", "3 + 4"}, {.cap = 3}).tokens, 2U);
  EXPECT_EQ(cut({"So:", "\n", "3 + 4"}, {.cap = 3}).tokens, 3U);
  const Pieces answered = {"3 + 4 = 7", "\n", "The answer is", " 7", "\n", "QUESTION", ": more"};
  const OfficialStep inner = cut(answered, {.cap = 100});
  EXPECT_EQ(inner.tokens, 5U);
  EXPECT_TRUE(inner.ends_solution);
  // At the root a whole solution is not one step, unless one was asked for.
  const OfficialStep root = cut(answered, {.cap = 100, .at_root = true});
  EXPECT_EQ(root.tokens, 2U);
  EXPECT_FALSE(root.ends_solution);
  EXPECT_EQ(cut(answered, {.cap = 100, .at_root = true, .single_action = true}).tokens, 5U);
}

TEST(StepsOfficial, SentencesOfOneLine) {
  const Pieces line = {"He", " has", " 3", ".", " So", " the answer is", " 3", ".", " Good", "!"};
  const OfficialStep step = cut(line, {.cap = 100, .ended = true});
  EXPECT_EQ(step.tokens, 8U);
  EXPECT_TRUE(step.ends_solution);
  EXPECT_EQ(cut(line, {.cap = 100, .ended = true, .at_root = true}).tokens, 4U);
  const Pieces endless = {"and", " so", " on", " and"};
  EXPECT_EQ(cut(endless, {.cap = 4}).tokens, 4U);
  EXPECT_TRUE(cut(endless, {.cap = 4}).truncated);
  EXPECT_FALSE(cut(endless, {.cap = 4, .ended = true}).truncated);
}

TEST(StepsOfficial, CutsFallOnTokens) {
  // The line ends inside a token with more text: the token goes.
  EXPECT_EQ(cut({"line one", "\nli", "ne two"}, {.cap = 3}).tokens, 1U);
  // With white space only: it stays.
  EXPECT_EQ(cut({"line one", ".\n", "ne two"}, {.cap = 3}).tokens, 2U);
  // A step has a token.
  EXPECT_EQ(cut({"line one\nli", "ne two"}, {.cap = 2}).tokens, 1U);
  EXPECT_EQ(cut({}, {.cap = 9, .ended = true}).tokens, 0U);
  EXPECT_EQ(cut({"QUESTION", ": x"}, {.cap = 9}).tokens, 0U);
  EXPECT_TRUE(cut({"QUESTION", ": x"}, {.cap = 9}).ends_solution);
}

TEST(StepsOfficial, Cap) {
  EXPECT_EQ(official_step_cap(128, 90, 4, false), 32U + 16U);  // 30 < 128 / 4
  EXPECT_EQ(official_step_cap(128, 180, 4, false), 60U + 16U);
  EXPECT_EQ(official_step_cap(128, 900, 4, true), 128U);
  EXPECT_EQ(official_step_cap(32, 20, 1, true), 20U);
  EXPECT_EQ(official_step_cap(32, 20, 0, true), 20U);
}

}  // namespace
}  // namespace tenfold::mcts_dpo
