// What a model is asked and taught, token by token: against texts put together by hand.
#include <gtest/gtest.h>

#include <algorithm>

#include "mcts_dpo/generation/prompts.hpp"
#include "mcts_dpo/question_sets.hpp"
#include "mcts_dpo_tiny.hpp"

namespace tenfold::mcts_dpo {
namespace {

// A byte a token: verdicts are two tokens behind a question that is left open.
TEST(Prompts, OfficialEvaluationsForceNothing) {
  Config config;
  config.self_evaluation = "official";
  dataset::SpecialTokens specials;
  specials.eos = "</s>";
  const auto tokenizer = dataset::make_byte_tokenizer(specials);
  const Prompts prompts(config, *tokenizer);
  const Question question = tiny_question(1);
  Tokens open = prompts.open_evaluation(question, "3 + 2 = 5");
  EXPECT_EQ(open,
            tokenizer->encode(evaluation_prompt(question, std::vector<std::string>{"3 + 2 = 5"},
                                                prompts.evaluation_templates())));
  open.insert(open.end(), {' ', '('});
  EXPECT_EQ(open, prompts.evaluation(question, "3 + 2 = 5"));
  EXPECT_EQ(prompts.right_variants(), (Tokens{'B'}));
  EXPECT_EQ(prompts.wrong_variants(), (Tokens{'A'}));
}

TEST(VerdictExamples, AskInAllFormsInTurns) {
  Config config;
  config.verdict_forms = "all";
  const std::vector<EvaluationExample> examples = verdict_examples(config, 3, 24);
  ASSERT_EQ(examples.size(), 24U);
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const std::size_t form = i / 2 % 6;
    const EvaluationExample& each = examples[i];
    const std::string letter = form % 2 == 0 ? "A" : "B", other = form % 2 == 0 ? "B" : "A";
    EXPECT_EQ(each.right, i % 2 == 0);
    EXPECT_EQ(each.verdict, "(" + (each.right ? letter : other) + ")");
    EXPECT_NE(each.prompt.find("(" + letter + ") yes"), std::string::npos) << each.prompt;
    const std::size_t reference = each.prompt.find("REFERENCE:\n");
    EXPECT_EQ(reference == std::string::npos, form >= 4) << each.prompt;
    if (form >= 4) continue;
    const bool whole = each.prompt.compare(reference + 11, 13, "The answer is") != 0;
    EXPECT_EQ(whole, form < 2) << each.prompt;
  }
}

TEST(Prompts, ASpacePartsASolutionFromASign) {
  Config config;
  config.verdicts = 0.1;
  dataset::SpecialTokens specials;
  specials.eos = "</s>";
  const auto tokenizer = dataset::make_byte_tokenizer(specials);
  const Question question = tiny_question(1);
  EXPECT_EQ(Prompts(config, *tokenizer).solution(question).front(), '3') << "behind a new line";
  config.prompt_answer = "ANSWER:";
  const Prompts prompts(config, *tokenizer);
  const Tokens solution = prompts.solution(question);
  EXPECT_EQ(prompts.text(solution), " " + solution_text(question));
  EvaluationExample example;
  example.prompt = evaluation_prompt(question, question.solution, prompts.evaluation_templates());
  example.verdict = "(B)";
  std::int64_t prompt = 0;
  const Tokens taught = prompts.evaluation_lesson(example, &prompt);
  const Tokens asked = prompts.evaluation(question, prompts.text(solution) + "\n");
  ASSERT_LT(asked.size(), taught.size());
  EXPECT_TRUE(std::equal(asked.begin(), asked.end(), taught.begin())) << "what is taught is asked";
  EXPECT_EQ(taught[asked.size()], prompts.right());
}

}  // namespace
}  // namespace tenfold::mcts_dpo
