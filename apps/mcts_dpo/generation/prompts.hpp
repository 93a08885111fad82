// From questions and solutions to tokens and back: the only place that knows how texts are put
// together.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/tokenizer/tokenizer.hpp"
#include "mcts_dpo/config.hpp"
#include "mcts_dpo/data/question.hpp"
#include "mcts_dpo/data/self_evaluation.hpp"

namespace tenfold::mcts_dpo {

/// Texts of self-evaluations as the options have them.
EvaluationTemplates evaluation_templates(const Config& config);

using Tokens = std::vector<std::int32_t>;

class Prompts {
 public:
  /// tokenizer must outlive this. Throws Code::kUsage for templates that cannot be filled,
  /// Code::kData for a tokenizer without a token that ends a text, or without one that
  /// --self-evaluation official could look for.
  Prompts(const Config& config, const dataset::Tokenizer& tokenizer);

  /// The begin token where the tokenizer has one, and the prompt. Throws Code::kData for text that
  /// the tokenizer has no tokens for.
  Tokens question(const Question& question) const;
  /// What goes on after the prompt, without an end: encoded as a continuation, so that prompt and
  /// solution meet at a token's border.
  Tokens continuation(std::string_view text) const;
  /// The question's solution and the end token. A space parts it from a prompt that ends in a word
  /// or sign ("ANSWER:").
  Tokens solution(const Question& question) const;
  /// The text of tokens that follow a prompt, without special tokens.
  std::string text(std::span<const std::int32_t> tokens) const;
  /// Prompt of a self-evaluation up to where the verdicts part: the next token is right() or
  /// wrong().
  Tokens evaluation(const Question& question, std::string_view partial) const;
  /// The same, but the model may say what it likes: for --self-evaluation official, which looks for
  /// a verdict in a few greedy tokens.
  Tokens open_evaluation(const Question& question, std::string_view partial) const;
  /// Single tokens that the tokenizer has for the letter and the text of an option: B, (B, (B),
  /// correct, Correct, each with and without a space before it. Of --self-evaluation official.
  const Tokens& right_variants() const { return right_variants_; }
  const Tokens& wrong_variants() const { return wrong_variants_; }
  std::int32_t right() const { return right_; }
  std::int32_t wrong() const { return wrong_; }
  /// A sequence that teaches to evaluate: an example's prompt and verdict, and the end token.
  Tokens evaluation_lesson(const EvaluationExample& example, std::int64_t* prompt) const;
  const EvaluationTemplates& evaluation_templates() const { return evaluation_; }

  const dataset::Tokenizer& tokenizer() const { return tokenizer_; }
  /// Tokens that end a solution, the one to write first.
  const Tokens& ends() const { return tokenizer_.end_tokens(); }
  bool is_end(std::int32_t token) const;

 private:
  void find_verdicts();
  void find_variants();
  Tokens variants(bool right) const;
  std::optional<std::int32_t> single(const std::string& text) const;

  const dataset::Tokenizer& tokenizer_;
  PromptTemplates templates_;
  EvaluationTemplates evaluation_;
  Tokens verdict_begin_;  ///< what both verdicts begin with
  std::int32_t right_ = -1, wrong_ = -1;
  Tokens right_variants_, wrong_variants_;
};

}  // namespace tenfold::mcts_dpo
