#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "mcts_dpo/answers/compare.hpp"
#include "mcts_dpo/data/chain.hpp"
#include "mcts_dpo/data/splits.hpp"

namespace tenfold::mcts_dpo {
namespace {

std::vector<std::string> words_in(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// A second reading of a question in its short form, and its value at each step; fails on any
/// breach of section 9.1.
std::vector<int> values_of(const std::string& question) {
  std::vector<std::string> words = words_in(question);
  EXPECT_EQ(words.at(0), "has");
  EXPECT_EQ(words.back(), "?");
  std::vector<int> values = {std::stoi(words.at(1))};
  EXPECT_GE(values[0], 3);
  EXPECT_LE(values[0], 40);
  for (std::size_t i = 2; i + 1 < words.size();) {
    EXPECT_EQ(words[i], ".");
    const std::string verb = words[i + 1];
    int value = values.back();
    if (verb == "doubles" || verb == "triples") {
      value *= verb == "doubles" ? 2 : 3;
      i += 2;
    } else {
      const int k = std::stoi(words.at(i + 2));
      EXPECT_GE(k, 2);
      EXPECT_LE(k, 15);
      value += verb == "buys" || verb == "finds" ? k : -k;
      EXPECT_TRUE(verb == "buys" || verb == "finds" || verb == "gives" || verb == "loses") << verb;
      i += 3;
    }
    EXPECT_GE(value, 1);
    EXPECT_LE(value, 99);
    values.push_back(value);
  }
  return values;
}

TEST(Chain, QuestionsKeepToTheirRules) {
  const ChainTask task({.seed = 3});
  std::map<std::size_t, int> lengths;
  for (const Question& question : generate(task, Split::kSft, 2000)) {
    const std::vector<int> values = values_of(question.text);
    ++lengths[values.size() - 1];
    EXPECT_EQ(question.answer, std::to_string(values.back()));
    ASSERT_EQ(question.solution.size(), values.size());
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
      const std::vector<std::string> line = words_in(question.solution[i]);
      ASSERT_EQ(line.size(), 5U);
      EXPECT_EQ(line[0], std::to_string(values[i]));
      EXPECT_EQ(line[4], std::to_string(values[i + 1]));
      const int x = std::stoi(line[0]), k = std::stoi(line[2]);
      EXPECT_EQ(line[1] == "+" ? x + k : line[1] == "-" ? x - k : x * k, values[i + 1]);
    }
    EXPECT_EQ(question.solution.back(), answer_line(question));
    EXPECT_EQ(judge(solution_text(question), question.answer), Verdict::kRight);
  }
  ASSERT_EQ(lengths.size(), 3U);
  // Uniform in 2, 3, 4 before duplicates are replaced: 667 each, standard deviation 21.
  for (const auto& [length, count] : lengths) EXPECT_NEAR(count, 667, 85) << length;
}

TEST(Chain, TheLongVariantHasFourToSix) {
  std::set<std::size_t> lengths;
  const ChainTask task({.fewest_clauses = 4, .most_clauses = 6});
  for (const Question& question : generate(task, Split::kPool, 200)) {
    lengths.insert(values_of(question.text).size() - 1);
  }
  EXPECT_EQ(lengths, (std::set<std::size_t>{4, 5, 6}));
}

// The first clause of a question that starts with 17 to 33 may be any but triples only where it
// may: 3 : 3 : 1 : 1 in halves for the verbs that add and take.
TEST(Chain, VerbsAreDrawnByTheirWeights) {
  const ChainTask task({.seed = 11});
  std::map<std::string, int> counts;
  int drawn = 0;
  for (std::uint32_t index = 0; drawn < 20'000; ++index) {
    const std::vector<std::string> words = words_in(task.draw(Split::kTest, index, 0).value().text);
    if (std::stoi(words[1]) > 33) continue;
    ++counts[words[3]];
    ++drawn;
  }
  const std::map<std::string, double> weights = {{"buys", 3 / 16.0},    {"finds", 3 / 16.0},
                                                 {"gives", 3 / 16.0},   {"loses", 3 / 16.0},
                                                 {"doubles", 2 / 16.0}, {"triples", 2 / 16.0}};
  double chi_square = 0;
  for (const auto& [verb, weight] : weights) {
    const double expected = drawn * weight;
    chi_square += (counts[verb] - expected) * (counts[verb] - expected) / expected;
  }
  EXPECT_EQ(counts.size(), 6U);
  EXPECT_LT(chi_square, 20.52);  // 5 degrees of freedom, 99.9th percentile
}

TEST(Chain, AnItemIsTheSameHoweverManyAreDrawn) {
  const ChainTask task({.seed = 5});
  const std::vector<Question> many = generate(task, Split::kTest, 300);
  const std::vector<Question> few = generate(task, Split::kTest, 40);
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i], many[i]);
  EXPECT_EQ(many[17].id, "chain-test-17");
  EXPECT_NE(generate(ChainTask({.seed = 6}), Split::kTest, 1)[0].text, many[0].text);
}

TEST(Chain, SplitsShareNoQuestionAndRepeatNone) {
  const ChainTask task({});
  std::set<std::string> texts;
  std::size_t drawn = 0;
  for (const Split split : {Split::kSft, Split::kPool, Split::kValidation, Split::kTest}) {
    for (const Question& question : generate(task, split, 3000)) {
      texts.insert(question.text);
      ++drawn;
    }
  }
  EXPECT_EQ(texts.size(), drawn);
}

TEST(Chain, ATaskThatRunsOutSaysSo) {
  try {
    generate(ChainTask({.fewest_clauses = 1, .most_clauses = 1}), Split::kTest, 1000);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_NE(error.message().find("different questions found, 1000 asked for"), std::string::npos);
  }
}

TEST(Chain, TheFlawedTeacherErrsOnTwoVerbsOnly) {
  const ChainTask task({.seed = 9, .flip = 0.6});
  int finds_or_loses = 0, flipped = 0, wrong = 0;
  for (const Question& question : generate(task, Split::kSft, 3000)) {
    const ChainProblem problem = parse_chain(question.text).value();
    const std::vector<int> truth = values_of(question.text);
    EXPECT_EQ(question.answer, std::to_string(truth.back()));
    int value = problem.start;
    for (std::size_t i = 0; i < problem.clauses.size(); ++i) {
      const std::vector<std::string> line = words_in(question.solution[i]);
      EXPECT_EQ(line[0], std::to_string(value)) << "carried through";
      const Verb verb = problem.clauses[i].verb;
      const int k = std::stoi(line[2]);
      const int right = truth[i + 1] - truth[i];
      const int step = line[1] == "+" ? k : line[1] == "-" ? -k : value * (k - 1);
      if (verb == Verb::kFinds || verb == Verb::kLoses) {
        ++finds_or_loses;
        if (step != right) {
          ++flipped;
          EXPECT_EQ(step, -right);
        }
      } else if (line[1] != "*") {
        EXPECT_EQ(step, right);
      }
      value += step;
      EXPECT_EQ(line[4], std::to_string(value));
      EXPECT_GE(value, 1);
      EXPECT_LE(value, 99);
    }
    EXPECT_EQ(question.solution.back(), fmt::format("The answer is {}", value));
    const Verdict verdict = judge(solution_text(question), question.answer);
    EXPECT_EQ(verdict == Verdict::kRight, value == truth.back());
    wrong += verdict == Verdict::kWrong ? 1 : 0;
  }
  // Rejecting solutions that leave the range takes a little from 0.6.
  EXPECT_NEAR(static_cast<double>(flipped) / finds_or_loses, 0.57, 0.04);
  EXPECT_GT(wrong, 900);
}

TEST(Chain, WithoutFlipsTheTeacherIsRight) {
  const ChainTask clean({.seed = 2}), always({.seed = 2, .flip = 1});
  for (std::uint32_t index = 0; index < 500; ++index) {
    const Question right = clean.draw(Split::kPool, index, 0).value();
    const std::optional<Question> flawed = always.draw(Split::kPool, index, 0);
    if (!flawed) continue;  // left the range
    EXPECT_EQ(flawed->text, right.text);
    EXPECT_EQ(flawed->answer, right.answer);
    const bool affected = right.text.find("finds") != std::string::npos ||
                          right.text.find("loses") != std::string::npos;
    EXPECT_EQ(flawed->solution != right.solution, affected) << right.text;
  }
}

TEST(Chain, StepTruth) {
  const ChainProblem problem = parse_chain("has 12 . buys 5 . doubles . loses 3 ?").value();
  EXPECT_EQ(problem.start, 12);
  EXPECT_EQ(problem.clauses,
            (std::vector<Clause>{{Verb::kBuys, 5}, {Verb::kDoubles, 0}, {Verb::kLoses, 3}}));
  EXPECT_EQ(chain_solution(problem), (std::vector<std::string>{"12 + 5 = 17", "17 * 2 = 34",
                                                               "34 - 3 = 31", "The answer is 31"}));
  EXPECT_EQ(
      chain_solution(problem, {false, false, true}),
      (std::vector<std::string>{"12 + 5 = 17", "17 * 2 = 34", "34 + 3 = 37", "The answer is 37"}));
  const auto truth = [&](const std::vector<std::string>& lines) {
    return chain_step_truth(problem, lines);
  };
  using Truth = std::vector<bool>;
  EXPECT_EQ(truth({}), Truth{});
  EXPECT_EQ(truth({"12 + 5 = 17", " 17 * 2  = 34 "}), (Truth{true, true}));
  EXPECT_EQ(truth({"12 + 5 = 17", "17 + 2 = 34", "34 - 3 = 31"}), (Truth{true, false, false}));
  EXPECT_EQ(truth({"12 + 5 = 18", "18 * 2 = 36"}), (Truth{false, false}));
  EXPECT_EQ(truth({"12 + 5 = 17", "The answer is 31"}), (Truth{true, false}));
  EXPECT_EQ(truth({"12 + 5 = 17", "17 * 2 = 34", "34 - 3 = 31", "The answer is 31", "x"}),
            (Truth{true, true, true, true, false}));
}

TEST(Chain, VerboseTextAsksTheSame) {
  const ChainTask plain({.seed = 4}), verbose({.seed = 4, .verbose_text = true});
  for (std::uint32_t index = 0; index < 300; ++index) {
    const Question one = plain.draw(Split::kTest, index, 0).value();
    const Question other = verbose.draw(Split::kTest, index, 0).value();
    EXPECT_NE(one.text, other.text);
    EXPECT_EQ(one.solution, other.solution);
    EXPECT_EQ(parse_chain(one.text), parse_chain(other.text)) << other.text;
  }
}

TEST(Chain, TheListOfWordsHasAllThatIsWritten) {
  for (const bool verbose : {false, true}) {
    const ChainTask task({.flip = 0.5, .verbose_text = verbose});
    const std::vector<std::string> words = task.words();
    const std::set<std::string> known(words.begin(), words.end());
    EXPECT_EQ(known.size(), words.size());
    std::set<std::string> used = {"\n"};
    for (const Question& question : generate(task, Split::kSft, 3000)) {
      for (const std::string& word : words_in(question.text)) used.insert(word);
      for (const std::string& word : words_in(solution_text(question))) used.insert(word);
    }
    for (const std::string& word : used) EXPECT_TRUE(known.contains(word)) << word;
    EXPECT_EQ(known.size() - used.size(), 1U);  // 0 is never a value
  }
}

TEST(Chain, WhatIsNoQuestionIsNone) {
  for (const char* text :
       {"", "has", "has ?", "has 12 ?", "has x . buys 3 ?", "has 12 . buys ?", "has 12 . buys 3",
        "12 . buys 3 ?", "has 1000 . buys 3 ?", "has 5 . buys -3 ?"}) {
    EXPECT_FALSE(parse_chain(text)) << text;
  }
  std::string many = "has 3";
  for (int i = 0; i < 21; ++i) many += " . triples";
  EXPECT_FALSE(parse_chain(many + " ?"));
}

TEST(Chain, WrongOptionsAreRefused) {
  EXPECT_THROW(ChainTask({.fewest_clauses = 0}), base::Error);
  EXPECT_THROW(ChainTask({.fewest_clauses = 5}), base::Error);
  EXPECT_THROW(ChainTask({.most_clauses = 21}), base::Error);
  EXPECT_THROW(ChainTask({.flip = 1.5}), base::Error);
  EXPECT_THROW(parse_split("train"), base::Error);
  EXPECT_EQ(parse_split("validation"), Split::kValidation);
}

}  // namespace
}  // namespace tenfold::mcts_dpo
