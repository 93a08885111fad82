// What sampled solutions give to learn from, of records written by hand: exact pairs and sequences,
// the same on all ranks.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "comm/communicator.hpp"
#include "dataset/tokenizer/tokenizer.hpp"
#include "mcts_dpo/modes/lessons.hpp"

namespace tenfold::mcts_dpo {
namespace {

using comm::Communicator;

constexpr std::uint64_t kFirst = 5;

std::unique_ptr<dataset::Tokenizer> some_tokenizer() {
  dataset::SpecialTokens specials;
  specials.bos = "<s>";
  specials.eos = "</s>";
  return dataset::make_word_tokenizer(std::vector<std::string>{"\n", "1", "2", "3", "+", "?"},
                                      specials);
}

Question some_question(const std::string& text) {
  Question question;
  question.id = question.text = text;
  question.answer = "3";
  return question;
}

Solution solution(Tokens tokens, Verdict verdict, double log_prob, bool ended = true) {
  Solution made;
  made.tokens = std::move(tokens);
  made.log_prob = log_prob;
  made.ended = ended;
  made.judgement = {verdict, verdict == Verdict::kRight ? 1.0 : -1.0};
  return made;
}

/// Four questions, numbers 5 to 8 of the run. Tokens name their solutions.
std::vector<std::vector<Solution>> some_solutions() {
  using enum Verdict;
  return {
      // The first right and the first that is not, wherever they stand.
      {solution({11}, kUnparsable, -1), solution({12, 1}, kWrong, -2),
       solution({13, 2}, kRight, -3), solution({14}, kRight, -4)},
      // All right: nothing to prefer. Twice the same, and one that has no end.
      {solution({21}, kRight, -1), solution({22}, kRight, -2), solution({21}, kRight, -1),
       solution({23}, kRight, -3, false)},
      // None right.
      {solution({31}, kWrong, -1), solution({32}, kUnparsable, -1)},
      // A right one that has no end is a winner, and nothing to imitate.
      {solution({41}, kRight, -0.5, false), solution({42, 3, 4}, kWrong, -0.25)},
  };
}

class SampleLessons : public ::testing::Test {
 protected:
  SampleLessons()
      : world_(Communicator::world()),
        tokenizer_(some_tokenizer()),
        prompts_(config_, *tokenizer_),
        shards_(train::make_shard_plan(8, world_.size(), world_.rank())),
        records_(4, shards_) {
    for (const char* text : {"1 + 2 ?", "2 + 1 ?", "3 + 3 ?", "1 + 1 ?"}) {
      questions_.push_back(some_question(text));
    }
    // Whoever finished them: question 3 first.
    std::vector<Record> mine;
    const auto all = some_solutions();
    for (std::size_t p = 4; p-- > 0;) {
      if (static_cast<int>(p) % world_.size() == world_.rank()) {
        mine.push_back({p, solution_bytes(all[p])});
      }
    }
    records_.gather(world_, mine, {});
  }
  Round round() const { return {2, kFirst, questions_}; }
  Tokens prompt(std::size_t p) const { return prompts_.question(questions_[p]); }
  static Tokens joined(Tokens tokens, const Tokens& more) {
    tokens.insert(tokens.end(), more.begin(), more.end());
    return tokens;
  }

  Communicator world_;
  Config config_;
  std::unique_ptr<dataset::Tokenizer> tokenizer_;
  Prompts prompts_;
  std::vector<Question> questions_;
  train::ShardPlan shards_;
  RoundRecords records_;
};

TEST_F(SampleLessons, OfInstancesAreTheFirstRightAndTheFirstWrong) {
  const Lessons lessons = lessons_of_instances(config_, round(), records_, prompts_);
  EXPECT_TRUE(lessons.sequences.empty());
  EXPECT_DOUBLE_EQ(lessons.success, 7.0 / 12);
  ASSERT_EQ(lessons.pairs.size(), 2U);
  const PreferencePair& first = lessons.pairs[0];
  EXPECT_EQ(first.question, 5);
  EXPECT_EQ(prompts_.text(first.prefix), prompts_.text(prompt(0)));
  EXPECT_EQ(first.prefix, prompt(0));
  EXPECT_EQ(first.winner, (Tokens{13, 2}));
  EXPECT_EQ(first.loser, (Tokens{11}));
  EXPECT_EQ(first.sampled_winner, -3);
  EXPECT_EQ(first.gap, 2);
  EXPECT_EQ(first.smoothing, 0);  // there are no visits
  const PreferencePair& second = lessons.pairs[1];
  EXPECT_EQ(second.question, 8);
  EXPECT_EQ(second.prefix, prompt(3));
  EXPECT_EQ(second.winner, (Tokens{41}));
  EXPECT_EQ(second.loser, (Tokens{42, 3, 4}));
  EXPECT_EQ(second.sampled_winner, -0.5);
  EXPECT_NE(first.prefix, second.prefix);
}

TEST_F(SampleLessons, OfInstancesWithConstantSmoothing) {
  config_.smoothing = "constant";
  config_.smoothing_constant = 0.2;
  const Lessons lessons = lessons_of_instances(config_, round(), records_, prompts_);
  for (const PreferencePair& pair : lessons.pairs) EXPECT_EQ(pair.smoothing, 0.2);
}

TEST_F(SampleLessons, OfExpertsAreAllDifferentRightOnes) {
  const Lessons lessons = lessons_of_experts(round(), records_, prompts_);
  EXPECT_TRUE(lessons.pairs.empty());
  EXPECT_DOUBLE_EQ(lessons.success, 7.0 / 12);
  const std::vector<std::pair<std::size_t, Tokens>> expected = {
      {0, {13, 2}}, {0, {14}}, {1, {21}}, {1, {22}}};
  ASSERT_EQ(lessons.sequences.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Tokens& asked = prompt(expected[i].first);
    EXPECT_EQ(lessons.sequences[i].tokens, joined(asked, expected[i].second)) << i;
    EXPECT_EQ(lessons.sequences[i].prompt, std::ssize(asked)) << i;
  }
}

TEST_F(SampleLessons, DamagedRecordsAreRefused) {
  Bytes bytes = solution_bytes(some_solutions()[0]);
  bytes[bytes.size() / 2] ^= std::byte{1};
  EXPECT_THROW(solutions_of(bytes), base::Error);
}

}  // namespace
}  // namespace tenfold::mcts_dpo
