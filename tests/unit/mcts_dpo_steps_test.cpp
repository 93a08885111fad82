#include <gtest/gtest.h>

#include <regex>
#include <string>
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

// 2^30 ways to match thirty a's that no stop follows.
TEST(Steps, ADelimiterThatBacktracksWithoutEndIsAnError) {
  StepSplitter splitter(parse_step_rules("delimiter((a+)+[;,])"));
  try {
    for (int i = 0; i < 60; ++i) splitter.push("a");
    FAIL() << "matched";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kData);
    EXPECT_NE(std::string(error.what()).find("(a+)+[;,]"), std::string::npos) << error.what();
  }
}

TEST(Steps, DelimitersInTextThatIsNoUtf8) {
  EXPECT_EQ(steps_of("delimiter(;)", {"a\xFF", ";", "\xC3", "\xA9;", "b"}),
            (Pieces{"a\xFF;", "\xC3\xA9;", "b"}));
  // The searched bytes begin inside of a character.
  std::string far;
  for (int i = 0; i < 3000; ++i) far += "\xC3\xA9";
  EXPECT_EQ(steps_of("delimiter(\xC3\xA9;)", {"x" + far, ";", "c"}),
            (Pieces{"x" + far + ";", "c"}));
  // What matches nothing at some places.
  EXPECT_EQ(steps_of("delimiter((?=b))", {"b", "a", "b", "c"}), (Pieces{"bab", "c"}));
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

/// Rules 2 to 5 and 7 of the notes' section 2.2 once more, by marking where fragments begin and
/// removing marks. Bytes that the step keeps.
struct NaiveStep {
  std::size_t bytes = 0;
  bool ends = false, truncated = false;
};

std::size_t visible(const std::string& text) {
  static const std::regex kAround("^\\s+|\\s+$");
  return std::regex_replace(text, kAround, "").size();
}

std::vector<std::string> fragments(const std::string& text, const std::string& boundary) {
  // A fragment begins where the boundary matches; short ones go with the next.
  const std::regex pattern(boundary);
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) {
    const auto at = static_cast<std::size_t>(match->position() + match->length());
    if (at == text.size()) continue;
    if (visible(text.substr(begin, at - begin)) < 4) continue;
    parts.push_back(text.substr(begin, at - begin));
    begin = at;
  }
  parts.push_back(text.substr(begin));
  if (parts.size() > 1 && visible(parts.back()) == 0) {
    parts[parts.size() - 2] += parts.back();
    parts.pop_back();
  }
  return parts;
}

NaiveStep naive_official(std::string text, const OfficialSample& sample, std::size_t tokens) {
  NaiveStep step;
  step.ends = sample.ended;
  if (text.find("QUESTION") != std::string::npos) {  // rule 7
    text = text.substr(0, text.find("QUESTION"));
    step.ends = true;
  }
  if (text.empty()) {
    step.truncated = tokens * 8 >= sample.cap * 7 && !step.ends;
    return step;
  }
  std::vector<std::string> parts = fragments(text, "\n\\s*");  // rule 2
  if (parts.size() == 1) parts = fragments(text, "[.!?][\"')\\]}*]*(?=\\s)");
  std::vector<std::string> kept;
  for (const std::string& part : parts) {  // rule 3
    kept.push_back(part);
    if (!std::regex_search(part, std::regex("answer is[\\s:][\\s:]*[^\\s:]"))) continue;
    step.ends = true;
    break;
  }
  if (sample.at_root && !sample.single_action && step.ends && kept.size() > 1) {  // rule 4
    kept.pop_back();
    step.ends = false;
  } else if (!step.ends && tokens * 8 >= sample.cap * 7) {  // rule 5
    if (kept.size() > 1) {
      kept.pop_back();
    } else {
      step.truncated = true;
    }
  }
  for (const std::string& part : kept) step.bytes += part.size();
  return step;
}

/// Tokens whose text is kept whole, and one more where the cut leaves white space of it alone, or
/// where it would be the first.
std::size_t naive_tokens(const Pieces& pieces, std::size_t bytes) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::size_t begin = end;
    end += pieces[i].size();
    if (end <= bytes) continue;
    if (begin >= bytes) return i;
    return i == 0 || visible(pieces[i].substr(bytes - begin)) == 0 ? i + 1 : i;
  }
  return pieces.size();
}

TEST(StepsOfficial, AsTheNotesHaveThemOnGeneratedTexts) {
  const Pieces words = {"3 + 4",
                        " = 7",
                        ". ",
                        ".",
                        "\n",
                        "\n\n",
                        " ",
                        "So",
                        " the",
                        "ab",
                        "? ",
                        "! Now",
                        " 7.",
                        "1. ",
                        "\n- ",
                        "He said \"no.\" ",
                        "The answer is",
                        " 7",
                        ": ",
                        "answer is x",
                        "QUESTION",
                        " then ",
                        "more text",
                        "\n \n",
                        "x.)\t"};
  int ended = 0, truncated = 0, whole = 0, shortened = 0;
  for (std::uint32_t i = 0; i < 600; ++i) {
    base::Stream stream(5, base::Purpose::kTest, i, 0);
    Pieces pieces(stream.below(24));
    std::string text;
    for (std::string& piece : pieces) {
      std::size_t word = stream.below(words.size());
      if (words[word] == "QUESTION" && stream.below(3) > 0) word = 0;
      piece = words[word];
      text += piece;
    }
    // Every other text comes as single bytes: then a cut is where the rules say, to the byte.
    if (i % 2 == 0) {
      pieces.clear();
      for (const char byte : text) pieces.emplace_back(1, byte);
    }
    OfficialSample sample;
    sample.cap = pieces.size() + stream.below(1 + pieces.size() / 3);
    sample.ended = stream.below(4) == 0;
    sample.at_root = stream.below(2) == 0;
    sample.single_action = stream.below(4) == 0;
    const OfficialStep step = cut(pieces, sample);
    const NaiveStep expected = naive_official(text, sample, pieces.size());
    EXPECT_EQ(step.tokens, naive_tokens(pieces, expected.bytes)) << i << ": " << text;
    EXPECT_EQ(step.ends_solution, expected.ends) << i << ": " << text;
    EXPECT_EQ(step.truncated, expected.truncated) << i << ": " << text;
    ended += step.ends_solution ? 1 : 0;
    truncated += step.truncated ? 1 : 0;
    (step.tokens == pieces.size() ? whole : shortened) += 1;
  }
  for (const int count : {ended, truncated, whole, shortened}) EXPECT_GT(count, 20);
}

// Rule 1: the notes' formula in its order.
TEST(StepsOfficial, CapOfAnyNumbers) {
  for (std::uint32_t i = 0; i < 300; ++i) {
    base::Stream stream(6, base::Purpose::kTest, i, 0);
    const std::size_t most = 1 + stream.below(512), gold = stream.below(1000);
    const std::size_t depth = stream.below(9);
    const std::size_t quarter = most / 4;
    std::size_t part = gold / (depth > 1 ? depth - 1 : 1);
    if (part < quarter) part = quarter;
    if (part > most) part = most;
    EXPECT_EQ(official_step_cap(most, gold, depth, true), part);
    EXPECT_EQ(official_step_cap(most, gold, depth, false), part + 16);
  }
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
