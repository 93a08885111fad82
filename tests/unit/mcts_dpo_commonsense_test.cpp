#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <set>

#include "base/error.hpp"
#include "mcts_dpo/answers/compare.hpp"
#include "mcts_dpo/data/chain.hpp"
#include "mcts_dpo/data/commonsense.hpp"
#include "mcts_dpo/data/self_evaluation.hpp"
#include "mcts_dpo/data/splits.hpp"
#include "mcts_dpo/data/words.hpp"

namespace tenfold::mcts_dpo {
namespace {

constexpr std::array kSplits = {Split::kSft, Split::kPool, Split::kValidation, Split::kTest};

TEST(Commonsense, QuestionsHaveOneRightChoiceOfFour) {
  const CommonsenseTask task({.seed = 1});
  std::map<std::string, int> keys;
  for (const Question& question : generate(task, Split::kSft, 2000)) {
    ASSERT_EQ(question.choices.size(), 4U);
    EXPECT_EQ(std::set<std::string>(question.choices.begin(), question.choices.end()).size(), 4U);
    ASSERT_EQ(question.solution.size(), 3U);
    EXPECT_EQ(question.choices.at(static_cast<std::size_t>(question.answer_key.at(0) - 'A')),
              question.answer);
    EXPECT_EQ(question.solution[2], answer_line(question));
    EXPECT_EQ(words_of(question.solution[1]).back(), question.answer);
    EXPECT_EQ(grade_choice(solution_text(question), question.choices, question.answer_key).verdict,
              Verdict::kRight);
    ++keys[question.answer_key];
  }
  ASSERT_EQ(keys.size(), 4U);
  for (const auto& [key, count] : keys) EXPECT_NEAR(count, 500, 80) << key;  // 4 deviations of 19
}

// The facts are one world: each line of an explanation always says the same of the same subject.
TEST(Commonsense, FactsAreTheSameInAllSplits) {
  std::map<std::string, std::string> kind, fact;
  std::map<std::string, std::set<std::string>> members;
  for (const std::uint32_t seed : {1U, 2U}) {
    const CommonsenseTask task({.seed = seed});
    for (const Split split : kSplits) {
      for (const Question& question : generate(task, split, 1000)) {
        const auto first = words_of(question.solution[0]);
        const std::string member(first[1]), group(first.back());
        EXPECT_EQ(kind.emplace(member, group).first->second, group);
        members[group].insert(member);
        const std::size_t value = question.solution[1].rfind(' ');
        EXPECT_EQ(words_of(question.solution[1])[1], group);
        EXPECT_NE(question.text.find(" " + member + " "), std::string::npos);
        const std::string about =
            question.solution[1].substr(0, value) + words_of(question.text)[1].data();
        EXPECT_EQ(fact.emplace(about, question.answer).first->second, question.answer);
      }
    }
  }
  EXPECT_EQ(kind.size(), 120U);
  EXPECT_EQ(members.size(), 20U);
  int of_seven = 0;
  for (const auto& [group, of] : members) {
    EXPECT_TRUE(of.size() == 7 || of.size() == 5);
    of_seven += of.size() == 7 ? 1 : 0;
  }
  EXPECT_EQ(of_seven, 10);
}

// What a test question asks is never asked in training, yet both facts that it needs are there.
TEST(Commonsense, TestQuestionsCannotBeRememberedButCanBeDerived) {
  const CommonsenseTask task({});
  std::map<Split, std::set<std::string>> asked, lines;
  for (const Split split : kSplits) {
    for (const Question& question : generate(task, split, 3000)) {
      asked[split].insert(question.text);
      lines[split].insert(question.solution[0]);
      lines[split].insert(question.solution[1]);
    }
  }
  for (const std::string& question : asked[Split::kTest]) {
    for (const Split other : {Split::kSft, Split::kPool, Split::kValidation}) {
      EXPECT_FALSE(asked[other].contains(question)) << question;
    }
  }
  for (const std::string& line : lines[Split::kTest]) {
    EXPECT_TRUE(lines[Split::kSft].contains(line)) << line;
    EXPECT_TRUE(lines[Split::kPool].contains(line)) << line;
  }
  EXPECT_EQ(
      asked[Split::kTest].size() + asked[Split::kValidation].size() + asked[Split::kSft].size(),
      570U);
}

TEST(Commonsense, SplitsShareNoQuestion) {
  const CommonsenseTask task({});
  std::set<std::uint64_t> hashes;
  for (const Split split : kSplits) {
    for (const Question& question : generate(task, split, 2000)) {
      EXPECT_TRUE(hashes.insert(question_hash(question)).second);
      for (const Split other : kSplits) EXPECT_EQ(task.belongs(question, other), other == split);
    }
  }
}

TEST(Commonsense, WorldsDiffer) {
  const Question one = generate(CommonsenseTask({.world = 1}), Split::kSft, 1)[0];
  const Question other = generate(CommonsenseTask({.world = 2}), Split::kSft, 1)[0];
  EXPECT_NE(one, other);
  EXPECT_EQ(one, generate(CommonsenseTask({.world = 1}), Split::kSft, 5)[0]);
}

TEST(Commonsense, TheListOfWordsHasAllThatIsWritten) {
  const CommonsenseTask task({});
  const std::vector<std::string> words = task.words();
  const std::set<std::string> known(words.begin(), words.end());
  EXPECT_EQ(known.size(), words.size());
  std::set<std::string> used = {"\n"};
  for (const Split split : kSplits) {
    for (const Question& question : generate(task, split, 3000)) {
      for (const std::string& text :
           {question.text, solution_text(question), choices_text(question)}) {
        for (const std::string_view word : words_of(text)) used.emplace(word);
      }
    }
  }
  EXPECT_EQ(used, known);
}

TEST(Words, OfTemplates) {
  std::vector<std::string> list = {"\n", "a"};
  add_words(list, {"a {question}\\n\\nb:{x} c", "c", "{", ""});
  EXPECT_EQ(list, (std::vector<std::string>{"\n", "a", "b:", "c"}));
}

/// Lines that are right by the task's own solution, from the beginning.
std::size_t right_lines(const Question& question, const std::vector<std::string>& lines) {
  std::size_t right = 0;
  while (right < lines.size() && right < question.solution.size() &&
         lines[right] == question.solution[right]) {
    ++right;
  }
  return right;
}

TEST(SelfEvaluation, HalfOfTheExamplesHaveOneSpoiltLine) {
  const ChainTask chain({.seed = 5});
  const CommonsenseTask commonsense({.seed = 5});
  const std::array<const GeneratedTask*, 2> tasks = {&chain, &commonsense};
  for (const GeneratedTask* task : tasks) {
    const std::vector<Question> questions = generate(*task, Split::kSft, 1000);
    int right = 0;
    std::map<std::size_t, int> spoilt;
    std::set<std::size_t> lengths;
    for (std::uint32_t i = 0; i < questions.size(); ++i) {
      const Question& question = questions[i];
      const EvaluationExample example =
          evaluation_example(*task, question, 5, Split::kSft, i, {}).value();
      lengths.insert(example.partial.size());
      right += example.right ? 1 : 0;
      EXPECT_EQ(example.verdict, example.right ? "(B)" : "(A)");
      const std::size_t first_wrong = right_lines(question, example.partial);
      if (example.right) {
        EXPECT_EQ(first_wrong, example.partial.size());
        EXPECT_FALSE(example.wrong_line);
      } else {
        EXPECT_EQ(example.wrong_line, first_wrong) << example.prompt;
        EXPECT_LT(first_wrong, example.partial.size());
        EXPECT_LE(example.partial.size(), question.solution.size());
        ++spoilt[first_wrong];
      }
      for (const std::string& line : example.partial) {
        EXPECT_NE(example.prompt.find("\n" + line), std::string::npos);
      }
    }
    EXPECT_EQ(right, 500);
    EXPECT_GE(spoilt.size(), 3U);
    for (const auto& [line, count] : spoilt) EXPECT_GT(count, 1) << line;
    EXPECT_TRUE(lengths.contains(1) && lengths.contains(3));
  }
}

// What a judge could guess from without reading: it would be wrong where long solutions are the
// spoilt ones.
TEST(SelfEvaluation, LengthDoesNotTellRightFromWrong) {
  const ChainTask task({.seed = 6});
  const std::vector<Question> questions = generate(task, Split::kSft, 6000);
  std::map<std::size_t, std::array<double, 2>> counts;
  for (std::uint32_t i = 0; i < questions.size(); ++i) {
    const auto example = evaluation_example(task, questions[i], 6, Split::kSft, i, {}).value();
    counts[example.partial.size()][example.right ? 1 : 0] += 1;
  }
  ASSERT_GE(counts.size(), 4U);
  for (const auto& [length, each] : counts) {
    const double all = each[0] + each[1];
    // Binomial(all, 1/2): four standard deviations.
    EXPECT_NEAR(each[1], all / 2, 2 * std::sqrt(all)) << length << " lines";
  }
}

// A second look at chain's spoilt lines: behind the wrong one the arithmetic goes on from its
// number.
TEST(SelfEvaluation, OfChainsTheRestFollowsTheWrongLine) {
  const ChainTask task({.seed = 8});
  const std::vector<Question> questions = generate(task, Split::kSft, 400);
  int opposite = 0, off = 0;
  for (std::uint32_t i = 1; i < questions.size(); i += 2) {
    const EvaluationExample example =
        evaluation_example(task, questions[i], 8, Split::kSft, i, {}).value();
    std::string value(words_of(questions[i].text)[1]);
    for (std::size_t line = 0; line < example.partial.size(); ++line) {
      const auto words = words_of(example.partial[line]);
      if (words[0] == "The") {
        EXPECT_EQ(words.back() == value, line != example.wrong_line);
        continue;
      }
      EXPECT_EQ(words[0], value);
      const int x = std::stoi(std::string(words[0])), k = std::stoi(std::string(words[2]));
      const int sound = words[1] == "+" ? x + k : words[1] == "-" ? x - k : x * k;
      value = words[4];
      const int result = std::stoi(value);
      EXPECT_GE(result, 1);
      EXPECT_LE(result, 99);
      if (line == example.wrong_line) {
        (result == sound ? opposite : off) += 1;
        EXPECT_LE(result == sound ? 0 : std::abs(result - sound), 10);
      } else {
        EXPECT_EQ(result, sound);
      }
    }
  }
  EXPECT_GT(opposite, 30);
  EXPECT_GT(off, 60);
}

TEST(SelfEvaluation, PromptsAndLetters) {
  Question question;
  question.id = "q";
  question.text = "has 3 . doubles ?";
  question.answer = "6";
  question.solution = {"3 * 2 = 6", "The answer is 6"};
  const std::vector<std::string> partial = {"3 * 2 = 5"};
  EvaluationTemplates templates;
  EXPECT_EQ(evaluation_prompt(question, partial, templates),
            "QUESTION: has 3 . doubles ?\n\nREFERENCE:\n3 * 2 = 6\nThe answer is 6\n\nPARTIAL "
            "SOLUTION:\n3 * 2 = 5\n\nIs every line of it right ? (A) no (B) yes\nANSWER: The "
            "answer is");
  EXPECT_EQ(verdict_text(true, templates), "(B)");
  EXPECT_EQ(verdict_text(false, templates), "(A)");
  templates.right_letter = 'A';
  templates.shown = EvaluationReference::kAnswer;
  EXPECT_THAT(evaluation_prompt(question, partial, templates),
              ::testing::HasSubstr("(A) yes (B) no"));
  EXPECT_THAT(evaluation_prompt(question, partial, templates),
              ::testing::HasSubstr("?\n\nREFERENCE:\nThe answer is 6\n\nPARTIAL"));
  EXPECT_EQ(verdict_text(true, templates), "(A)");
  templates.shown = EvaluationReference::kNone;
  EXPECT_THAT(evaluation_prompt(question, partial, templates),
              ::testing::HasSubstr("doubles ?\n\nPARTIAL SOLUTION:"));
  templates.right_letter = 'C';
  EXPECT_THROW(evaluation_prompt(question, partial, templates), base::Error);
  templates.right_letter = 'B';
  templates.eval = "{partially}";
  EXPECT_THROW(evaluation_prompt(question, partial, templates), base::Error);
  EXPECT_EQ(parse_evaluation_reference("none"), EvaluationReference::kNone);
  EXPECT_THROW(parse_evaluation_reference("all"), base::Error);
}

TEST(SelfEvaluation, NumbersOfAnyDataCanBeSpoilt) {
  const std::vector<std::string> solution = {"He buys 12 pens for $3.50.", "So.", "7"};
  std::set<std::string> seen;
  for (std::uint32_t i = 0; i < 200; ++i) {
    base::Stream stream(1, base::Purpose::kTest, i, 0);
    const std::vector<std::string> spoilt = corrupt_number(solution, 0, stream).value();
    ASSERT_EQ(spoilt.size(), 1U);
    EXPECT_NE(spoilt[0], solution[0]);
    EXPECT_EQ(spoilt[0].size(), solution[0].size());
    EXPECT_EQ(spoilt[0].substr(0, 23), "He buys 12 pens for $3.");
    seen.insert(spoilt[0]);
    EXPECT_NE(corrupt_number(solution, 2, stream).value()[2], "7");
  }
  EXPECT_EQ(seen.size(), 8U + 9U);  // 5 to 1..9 but 5, or 0 to another digit
  base::Stream stream(1, base::Purpose::kTest, 0, 0);
  EXPECT_FALSE(corrupt_number(solution, 1, stream));
  EXPECT_FALSE(corrupt_number(solution, 3, stream));
}

}  // namespace
}  // namespace tenfold::mcts_dpo
