#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/philox.hpp"
#include "base/utf8.hpp"
#include "mcts_dpo/data/chain.hpp"
#include "mcts_dpo/data/reader.hpp"
#include "mcts_dpo/data/rows.hpp"
#include "mcts_dpo/data/splits.hpp"
#include "unit/base_folder.hpp"

namespace tenfold::mcts_dpo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const std::string kGsm8k =
    R"({"question": "Tom has 3 pens and buys 5. How many?", "answer": "He has 3 + 5 = <<3+5=8>>8 pens.\nThat is all.\n#### 8"})"
    "\n"
    R"({"question": "And 1,000 times that?", "answer": "8 * 1000 = <<8*1000=8000>>8000\n#### 8,000"})"
    "\n";
const std::string kMath =
    R"({"problem": "What is $\\frac{1}{2}+\\frac{1}{4}$?", "level": "Level 1", "type": "Algebra", "solution": "Adding,\n\nwe get $\\boxed{\\frac{3}{4}}$."})";
const std::string kSciq =
    R"([{"question": "What do plants take from the air?", "distractor3": "gold", "distractor1": "salt", "distractor2": "sand", "correct_answer": "carbon dioxide", "support": "Plants take up carbon dioxide."},
 {"question": "What is ice?", "distractor3": "a", "distractor1": "b", "distractor2": "c", "correct_answer": "frozen water", "support": ""}])";
const std::string kArcNested =
    R"({"id": "M_1", "question": {"stem": "Which is a metal?", "choices": [{"text": "wood", "label": "A"}, {"text": "iron", "label": "B"}, {"text": "air", "label": "C"}]}, "answerKey": "B"})"
    "\n"
    R"({"id": "M_2", "question": {"stem": "Which is a gas?", "choices": [{"text": "oxygen", "label": "1"}, {"text": "iron", "label": "2"}]}, "answerKey": "1"})";
const std::string kArcFlat =
    R"({"id": "7-1", "question_stem": "Which floats?", "choices": {"text": ["stone", "cork"], "label": ["A", "B"]}, "answerKey": "B"})"
    "\n"
    R"({"id": "7-2", "question": "Which sinks?", "question_concept": "sink", "choices": {"label": ["A", "B", "C", "D", "E"], "text": ["a", "b", "c", "d", "stone"]}, "answerKey": "E"})";
const std::string kOwn =
    R"({"id": "a", "question": "1 + 1 ?", "answer": "2", "solution": "1 + 1 = 2"})"
    "\n"
    R"({"id": 5, "question": "2 + 2 ?", "answer": 4, "solution": ["2 + 2 = 4", "The answer is 4"]})"
    "\n"
    R"({"id": "c", "question": "Which?", "answer": "iron", "choices": ["wood", "iron"]})"
    "\n"
    R"({"id": "d", "question": "Which?", "answer": "B", "choices": ["wood", "iron"], "answer_key": "B"})";

std::string message_of(const std::string& text, const ReadOptions& options = {},
                       const std::string& name = "data/x.jsonl") {
  try {
    read_questions_text(text, name, options);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kData);
    return error.message();
  }
  ADD_FAILURE() << "not refused: " << text;
  return {};
}

TEST(Reader, Gsm8k) {
  const ReadReport report = read_questions_text(kGsm8k, "train.jsonl");
  EXPECT_EQ(report.format, DataFormat::kGsm8k);
  ASSERT_EQ(report.questions.size(), 2U);
  const Question& first = report.questions[0];
  EXPECT_EQ(first.id, "train-1");
  EXPECT_EQ(first.text, "Tom has 3 pens and buys 5. How many?");
  EXPECT_EQ(first.answer, "8");
  EXPECT_THAT(first.solution,
              ElementsAre("He has 3 + 5 = 8 pens.", "That is all.", "The answer is 8"));
  EXPECT_EQ(report.questions[1].answer, "8,000");
  EXPECT_EQ(report.questions[1].line, 2U);
  ReadOptions keep;
  keep.keep_calculator = true;
  EXPECT_EQ(read_questions_text(kGsm8k, "train.jsonl", keep).questions[0].solution[0],
            "He has 3 + 5 = <<3+5=8>>8 pens.");
}

TEST(Reader, Math) {
  // One object over several lines, as MATH's own files are.
  std::string spread = kMath;
  for (std::size_t at = 0; (at = spread.find(", \"", at)) != std::string::npos; ++at)
    spread[at + 1] = '\n';
  const std::vector<std::pair<std::string, std::string>> files = {
      {kMath, "a.jsonl"}, {kMath, "a.json"}, {spread, "a.json"}};
  for (const auto& [text, name] : files) {
    const ReadReport report = read_questions_text(text, name);
    EXPECT_EQ(report.format, DataFormat::kMath);
    ASSERT_EQ(report.questions.size(), 1U);
    EXPECT_EQ(report.questions[0].answer, "\\frac{3}{4}");
    EXPECT_THAT(
        report.questions[0].solution,
        ElementsAre("Adding,", "we get $\\boxed{\\frac{3}{4}}$.", "The answer is \\frac{3}{4}"));
  }
}

TEST(Reader, SciqDrawsTheOrderOfItsChoices) {
  const ReadReport report = read_questions_text(kSciq, "test.json");
  EXPECT_EQ(report.format, DataFormat::kSciq);
  ASSERT_EQ(report.questions.size(), 2U);
  EXPECT_EQ(report.questions[1].line, 2U);
  const Question& first = report.questions[0];
  EXPECT_EQ(first.answer, "carbon dioxide");
  EXPECT_EQ(first.choices.at(static_cast<std::size_t>(first.answer_key[0] - 'A')),
            "carbon dioxide");
  EXPECT_EQ((std::multiset<std::string>(first.choices.begin(), first.choices.end())),
            (std::multiset<std::string>{"carbon dioxide", "gold", "salt", "sand"}));
  EXPECT_THAT(first.solution, ElementsAre("Plants take up carbon dioxide.",
                                          "The answer is (" + first.answer_key + ")"));
  EXPECT_TRUE(report.questions[1].solution.empty());
  // Over seeds every letter comes up.
  std::set<std::string> keys;
  for (std::uint32_t seed = 0; seed < 32; ++seed) {
    ReadOptions options;
    options.seed = seed;
    keys.insert(read_questions_text(kSciq, "test.json", options).questions[0].answer_key);
    EXPECT_EQ(read_questions_text(kSciq, "test.json", options).questions,
              read_questions_text(kSciq, "test.json", options).questions);
  }
  EXPECT_EQ(keys.size(), 4U);
}

TEST(Reader, ArcInItsThreeForms) {
  const ReadReport nested = read_questions_text(kArcNested, "arc.jsonl");
  EXPECT_EQ(nested.format, DataFormat::kArc);
  ASSERT_EQ(nested.questions.size(), 2U);
  EXPECT_EQ(nested.questions[0].id, "M_1");
  EXPECT_EQ(nested.questions[0].answer, "iron");
  EXPECT_EQ(nested.questions[0].answer_key, "B");
  EXPECT_EQ(nested.questions[1].answer_key, "A");
  EXPECT_EQ(nested.questions[1].answer, "oxygen");
  const ReadReport flat = read_questions_text(kArcFlat, "arc.jsonl");
  ASSERT_EQ(flat.questions.size(), 2U);
  EXPECT_EQ(flat.questions[0].text, "Which floats?");
  EXPECT_EQ(flat.questions[0].answer, "cork");
  EXPECT_EQ(flat.questions[1].answer_key, "E");
}

TEST(Reader, Own) {
  const ReadReport report = read_questions_text(kOwn, "own.jsonl");
  EXPECT_EQ(report.format, DataFormat::kJsonl);
  ASSERT_EQ(report.questions.size(), 4U);
  EXPECT_THAT(report.questions[0].solution, ElementsAre("1 + 1 = 2", "The answer is 2"));
  EXPECT_EQ(report.questions[1].id, "5");
  EXPECT_EQ(report.questions[1].answer, "4");
  EXPECT_EQ(report.questions[1].solution.size(), 2U);
  EXPECT_EQ(report.questions[2].answer_key, "B");
  EXPECT_EQ(report.questions[3].answer, "iron");
}

TEST(Reader, LineEndsBlankLinesAndByteOrderMarksDoNotMatter) {
  const std::string row = R"({"id":"a","question":"q","answer":"1"})";
  const std::string second = R"({"id":"b","question":"r","answer":"1"})";
  const ReadReport report =
      read_questions_text("\xEF\xBB\xBF\r\n" + row + "\r\n\r\n  " + second, "x.jsonl");
  ASSERT_EQ(report.questions.size(), 2U);
  EXPECT_EQ(report.questions[0].line, 2U);
  EXPECT_EQ(report.questions[1].line, 4U);
}

TEST(Reader, BadRowsAreRefusedByFileLineCauseAndField) {
  const std::string good = R"({"id":"a","question":"q","answer":"1"})";
  const auto second = [&](const std::string& row) { return message_of(good + "\n" + row); };
  EXPECT_THAT(second("{\"id\":"), HasSubstr("data/x.jsonl:2: malformed JSON"));
  EXPECT_EQ(second(R"({"id":"b","question":"q"})"), "data/x.jsonl:2: missing field: answer");
  EXPECT_EQ(second(R"({"id":"b","answer":"q"})"), "data/x.jsonl:2: missing field: question");
  EXPECT_EQ(second(R"({"question":"b","answer":"q"})"), "data/x.jsonl:2: missing field: id");
  EXPECT_EQ(second(R"({"id":"b","question":"q","answer":" "})"),
            "data/x.jsonl:2: empty answer: answer");
  EXPECT_EQ(second(R"({"id":"b","question":"","answer":"1"})"),
            "data/x.jsonl:2: empty question: question");
  EXPECT_EQ(second(R"({"id":"a","question":"r","answer":"1"})"),
            "data/x.jsonl:2: duplicate id: id (\"a\" is at data/x.jsonl:1 too)");
  EXPECT_EQ(second("{\"id\":\"b\",\"question\":\"\xC3\x28\",\"answer\":\"1\"}"),
            "data/x.jsonl:2: not UTF-8");
  EXPECT_EQ(second("[1]"), "data/x.jsonl:2: wrong type (array in place of an object)");
  EXPECT_EQ(second(R"({"id":"b","question":["q"],"answer":"1"})"),
            "data/x.jsonl:2: wrong type: question (array in place of a string)");
  EXPECT_THAT(second(R"({"id":"b","question":"q","answer":"x","choices":["y","z"]})"),
              HasSubstr("2: answer key is no choice: answer (\"x\")"));
  EXPECT_THAT(
      second(R"({"id":"b","question":"q","answer":"y","choices":["y","z"],"answer_key":"B"})"),
      HasSubstr("2: answer and key differ: answer"));
  EXPECT_THAT(second(R"({"id":"b","question":"q","answer":"y","choices":["y"]})"),
              HasSubstr("2: number of choices: answer (1 choices)"));
  EXPECT_THAT(
      second("{\"id\":\"b\",\"question\":\"q\",\"answer\":\"" + std::string(1U << 20, '7') + "\"}"),
      HasSubstr("data/x.jsonl:2: too long (1048613 bytes, at most 1048576)"));
  EXPECT_EQ(message_of(R"({"question": "q", "answer": "### 5"})", {.format = DataFormat::kGsm8k}),
            "data/x.jsonl:1: no final answer: answer (without ####)");
  EXPECT_EQ(message_of(R"({"problem": "q", "solution": "\\boxed{5"})"),
            "data/x.jsonl:1: empty answer: solution (an empty or unclosed \\boxed{})");
  EXPECT_EQ(message_of(R"({"text": 1, "label": 2})"),
            "data/x.jsonl:1: unknown format (a row with the fields label, text)");
  EXPECT_EQ(message_of(" \n"), "data/x.jsonl: no questions");
  EXPECT_EQ(message_of("[]", {}, "x.json"), "x.json: no questions");
  EXPECT_THAT(message_of("[" + good + ",\n" + good.substr(0, 20), {}, "x.json"),
              HasSubstr("x.json:2: malformed JSON"));
  EXPECT_THAT(message_of("[" + good + "] {}", {}, "x.json"), HasSubstr("x.json:1: "));
  EXPECT_THROW(read_questions("no/such/file"), base::Error);
  EXPECT_THROW(parse_format("csv"), base::Error);
  for (const char* name : {"jsonl", "gsm8k", "math", "sciq", "arc"}) {  // as --format lists them
    EXPECT_EQ(format_name(parse_format(name)), name);
  }
}

TEST(Reader, BadRowsAreSkippedCountedAndShown) {
  std::string text;
  for (int i = 0; i < 10; ++i) {
    text += i % 3 == 1 ? "{\n"
                       : fmt::format("{{\"id\":\"{}\",\"question\":\"q\",\"answer\":\"1\"}}\n", i);
  }
  text += "{\"id\":\"x\",\"question\":\"q\"}\n";
  const ReadReport report = read_questions_text(text, "x.jsonl", {.skip_bad_rows = 4});
  EXPECT_EQ(report.questions.size(), 7U);
  EXPECT_EQ(report.bad(), 4U);
  EXPECT_THAT(report.bad_rows, ElementsAre(Pair("malformed JSON", 3), Pair("missing field", 1)));
  ASSERT_EQ(report.first_bad.size(), 4U);
  EXPECT_THAT(report.first_bad[1], HasSubstr("x.jsonl:5: malformed JSON"));
  EXPECT_EQ(message_of(text, {.skip_bad_rows = 3}),
            "data/x.jsonl:11: missing field: answer; 4 bad rows, 3 may be skipped");
  EXPECT_THAT(message_of("{\n[\n", {.skip_bad_rows = 9}), HasSubstr("no questions left of 2 rows"));
}

using ReaderFiles = test::TemporaryFolder;

TEST_F(ReaderFiles, ReadBackAsTheyWere) {
  std::vector<Question> questions = generate(ChainTask({.flip = 0.5}), Split::kSft, 50);
  for (const std::string& text : {kGsm8k, kMath, kArcNested, kArcFlat}) {
    for (const Question& question : read_questions_text(text, "y.jsonl").questions) {
      questions.push_back(question);
      questions.back().id += std::to_string(questions.size());
    }
  }
  questions[0].text = "quotes \" and \\ and\nnew lines \xE2\x82\xAC \t";
  questions[0].text += "end";
  write_questions(folder_ / "q.jsonl", questions);
  std::vector<Question> again = read_questions(folder_ / "q.jsonl").questions;
  ASSERT_EQ(again.size(), questions.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].line, i + 1);
    again[i].line = questions[i].line;
    EXPECT_EQ(again[i], questions[i]);
  }
  // A folder of MATH's files.
  std::filesystem::create_directories(folder_ / "math" / "algebra");
  base::write_atomic(folder_ / "math" / "algebra" / "2.json", kMath);
  base::write_atomic(folder_ / "math" / "10.json", kMath);
  const std::vector<Question> math = read_questions(folder_ / "math").questions;
  ASSERT_EQ(math.size(), 2U);
  EXPECT_EQ(math[0].id, "10");
  EXPECT_EQ(math[1].id, "algebra/2");
}

// Whatever bytes change, the outcome is questions or one error of ours.
TEST(Reader, DamagedFilesNeverCrash) {
  const std::vector<std::string> samples = {kGsm8k, kMath, kSciq, kArcNested, kArcFlat, kOwn};
  const std::string marks = "{}[]\",:\\\n0\xFF\xC3 ";
  int read = 0, refused = 0;
  for (std::uint32_t i = 0; i < 6000; ++i) {
    base::Stream stream(3, base::Purpose::kTest, i, 0);
    std::string text = samples[i % samples.size()];
    for (std::uint64_t n = 1 + stream.below(4); n > 0; --n) {
      const std::size_t at = stream.below(text.size());
      const std::uint64_t kind = stream.below(4);
      if (kind == 0) text[at] = static_cast<char>(stream.below(256));
      if (kind == 1) text[at] = marks[stream.below(marks.size())];
      if (kind == 2) text.erase(at, 1 + stream.below(12));
      if (kind == 3) text.insert(at, text.substr(stream.below(text.size()), stream.below(20)));
    }
    ReadOptions options;
    options.skip_bad_rows = stream.below(3);
    try {
      const ReadReport report =
          read_questions_text(text, stream.below(2) == 0 ? "f.json" : "f.jsonl", options);
      ++read;
      EXPECT_LE(report.bad(), options.skip_bad_rows);
      for (const Question& question : report.questions) {
        EXPECT_FALSE(question.text.empty() || question.answer.empty() || question.id.empty());
        EXPECT_TRUE(base::is_valid_utf8(question.text));
        EXPECT_FALSE(question_json(question).empty());
      }
    } catch (const base::Error& error) {
      ++refused;
      EXPECT_EQ(error.code(), base::Code::kData);
      EXPECT_TRUE(base::is_valid_utf8(error.message()));
    }
  }
  EXPECT_GT(read, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(Reader, NestingDoesNotExhaustTheStack) {
  const std::string deep(500'000, '[');
  EXPECT_THAT(message_of("{\"id\": " + deep), HasSubstr("malformed JSON"));
  EXPECT_THAT(message_of(deep, {}, "x.json"), HasSubstr("malformed JSON"));
}

TEST(Rows, Utf8) {
  for (const char* good : {"", "a", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xF0\x90\x80\x80",
                           "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(base::is_valid_utf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC2", "\xE2\x82", "\xFF"}) {
    EXPECT_FALSE(base::is_valid_utf8(bad));
  }
}

Question asked(const std::string& id, const std::string& text,
               std::vector<std::string> choices = {}) {
  Question question;
  question.id = id;
  question.text = text;
  question.choices = std::move(choices);
  return question;
}

TEST(Splits, LeaksAreFoundWhateverTheLayout) {
  const std::vector<Question> train = {asked("t1", "How  many\nare there?"),
                                       asked("t2", "Which?", {"a", "b"})};
  EXPECT_EQ(check_leak(train,
                       std::vector<Question>{asked("e1", "how much ?"), asked("e2", "Which?"),
                                             asked("e3", "Which?", {"a", "c"})},
                       false),
            0U);
  const std::vector<Question> leaky = {asked("e1", " how many are there? "),
                                       asked("e2", "which?", {"B", "A"}), asked("e3", "x")};
  EXPECT_EQ(check_leak(train, leaky, true), 2U);
  try {
    check_leak(train, leaky, false);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kData);
    EXPECT_EQ(error.message(),
              "2 of 3 evaluation questions are training questions too: \"e1\" is \"t1\", \"e2\" is "
              "\"t2\"");
  }
}

TEST(Splits, ByHashTheyDependOnNothingElse) {
  std::vector<Question> questions;
  for (int i = 0; i < 4000; ++i)
    questions.push_back(asked(std::to_string(i), fmt::format("question {}", i)));
  const std::vector<double> shares = {3, 1};
  const auto parts = split_by_hash(questions, shares, 1);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].size() + parts[1].size(), 4000U);
  EXPECT_NEAR(static_cast<double>(parts[1].size()), 1000, 110);  // four standard deviations
  std::vector<Question> half(questions.begin(), questions.begin() + 2000);
  std::reverse(half.begin(), half.end());
  std::set<std::string> second, again;
  for (const Question& question : parts[1]) {
    if (std::stoi(question.id) < 2000) second.insert(question.id);
  }
  const auto of_half = split_by_hash(half, shares, 1);
  for (const Question& question : of_half[1]) again.insert(question.id);
  EXPECT_EQ(second, again);
  EXPECT_NE(split_by_hash(questions, shares, 2)[1], parts[1]);
  EXPECT_THROW(split_by_hash(questions, std::vector<double>{1, 0}, 1), base::Error);
}

TEST(Prompt, TemplatesAreFilled) {
  Question open = asked("a", "1 + 1 ?");
  const PromptTemplates plain;
  EXPECT_EQ(prompt_text(open, plain), "QUESTION: 1 + 1 ?\n\nANSWER:");
  Question choice = asked("b", "Which {x}?", {"one", "two"});
  EXPECT_EQ(prompt_text(choice, plain),
            "QUESTION: Which {x}?\nAnswer Choices: (A) one (B) two\n\nANSWER:");
  EXPECT_EQ(prompt_text(choice, {"{text}|{choices}", "\\\\n\\n"}),
            "Which {x}?|Answer Choices: (A) one (B) two\\n\n");
  for (const char* wrong : {"{", "{quest}", "\\", "\\t", "{question"}) {
    EXPECT_THROW(prompt_text(open, {wrong, ""}), base::Error) << wrong;
  }
  EXPECT_EQ(answer_line(choice), "The answer is ");
  choice.answer_key = "B";
  EXPECT_EQ(answer_line(choice), "The answer is (B)");
}

}  // namespace
}  // namespace tenfold::mcts_dpo
