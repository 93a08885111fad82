// What a model is asked and taught, token by token: against texts put together by hand.
#include <gtest/gtest.h>

#include <algorithm>

#include "mcts_dpo/generation/prompts.hpp"
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

}  // namespace
}  // namespace tenfold::mcts_dpo
