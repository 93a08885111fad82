// From questions and solutions to tokens and back: the only place that knows how texts are put
// together.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/tokenizer/tokenizer.hpp"
#include "mcts_dpo/config.hpp"
#include "mcts_dpo/data/question.hpp"

namespace tenfold::mcts_dpo {

using Tokens = std::vector<std::int32_t>;

class Prompts {
 public:
  /// tokenizer must outlive this. Throws Code::kUsage for templates that cannot be filled,
  /// Code::kData for a tokenizer without a token that ends a text.
  Prompts(const Config& config, const dataset::Tokenizer& tokenizer);

  /// The begin token where the tokenizer has one, and the prompt. Throws Code::kData for text that
  /// the tokenizer has no tokens for.
  Tokens question(const Question& question) const;
  /// What goes on after the prompt, without an end: encoded as a continuation, so that prompt and
  /// solution meet at a token's border.
  Tokens continuation(std::string_view text) const;
  /// The question's solution and the end token.
  Tokens solution(const Question& question) const;
  /// The text of tokens that follow a prompt, without special tokens.
  std::string text(std::span<const std::int32_t> tokens) const;
  /// Prompt of a self-evaluation up to where the letter comes, in two parts: what is the same for
  /// all partial solutions of a question, and the rest.
  struct Evaluation {
    Tokens shared, rest;
  };
  Evaluation evaluation(const Question& question, std::string_view partial) const;
  /// Tokens that a verdict may begin with.
  const Tokens& right() const { return right_; }
  const Tokens& wrong() const { return wrong_; }

  const dataset::Tokenizer& tokenizer() const { return tokenizer_; }
  /// Tokens that end a solution, the one to write first.
  const Tokens& ends() const { return tokenizer_.end_tokens(); }
  bool is_end(std::int32_t token) const;

 private:
  std::string evaluation_text(const Question& question, std::string_view partial) const;
  Tokens letters(const std::string& word) const;

  const Config& config_;
  const dataset::Tokenizer& tokenizer_;
  PromptTemplates templates_;
  Tokens right_, wrong_;
};

}  // namespace tenfold::mcts_dpo
