#include "mcts_dpo/generation/prompts.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace tenfold::mcts_dpo {

Prompts::Prompts(const Config& config, const dataset::Tokenizer& tokenizer)
    : config_(config),
      tokenizer_(tokenizer),
      templates_{config.prompt_question, config.prompt_answer} {
  if (tokenizer.end_tokens().empty()) {
    throw base::Error(base::Code::kData,
                      "the model's tokenizer has no token that ends a text: solutions would never "
                      "end",
                      "Name eos_token in tokenizer_config.json or eos_token_id in config.json");
  }
  static_cast<void>(prompt_text(Question{}, templates_));  // refuses what cannot be filled
  if (config.self_evaluation != "off") {
    static_cast<void>(evaluation_text(Question{}, ""));
    right_ = letters(config.prompt_right);
    wrong_ = letters(config.prompt_wrong);
  }
}

// Spellings of one letter or word that a model may give next: alone and behind a space.
Tokens Prompts::letters(const std::string& word) const {
  Tokens found;
  for (const std::string& spelling : {word, " " + word}) {
    Tokens ids;
    try {
      ids = continuation(spelling);
    } catch (const base::Error&) {
      continue;  // none of a closed vocabulary's
    }
    if (ids.size() != 1) continue;
    if (std::find(found.begin(), found.end(), ids[0]) == found.end()) found.push_back(ids[0]);
  }
  if (found.empty()) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("'{}' is not one token of the model: a self-evaluation cannot be "
                                  "read from the next token",
                                  word),
                      "Choose other words with --right and --wrong");
  }
  return found;
}

bool Prompts::is_end(std::int32_t token) const {
  return std::find(ends().begin(), ends().end(), token) != ends().end();
}

Tokens Prompts::question(const Question& question) const {
  Tokens tokens;
  if (tokenizer_.bos()) tokens.push_back(*tokenizer_.bos());
  tokenizer_.append_ids(prompt_text(question, templates_), {}, tokens);
  if (tokens.empty()) {
    throw base::Error(base::Code::kData,
                      fmt::format("question {} has an empty prompt", question.id),
                      "A text, or a begin token, must stand before a solution");
  }
  return tokens;
}

Tokens Prompts::continuation(std::string_view text) const {
  return tokenizer_.encode(text, {.continuation = true});
}

Tokens Prompts::solution(const Question& question) const {
  Tokens tokens = continuation(solution_text(question));
  tokens.push_back(ends().front());
  return tokens;
}

std::string Prompts::text(std::span<const std::int32_t> tokens) const {
  return tokenizer_.decode(tokens);
}

std::string Prompts::evaluation_text(const Question& question, std::string_view partial) const {
  std::string reference;
  if (config_.reference == "answer") reference = answer_line(question);
  if (config_.reference == "solution") {
    reference = question.solution.empty() ? answer_line(question) : solution_text(question);
  }
  const std::string choices = choices_text(question);
  const std::string asked = choices.empty() ? question.text : question.text + "\n" + choices;
  return fill_template("prompt.evaluation", config_.prompt_evaluation,
                       {"question", "reference", "partial"},
                       {asked, reference, std::string(partial)});
}

Prompts::Evaluation Prompts::evaluation(const Question& question, std::string_view partial) const {
  const auto tokens = [&](std::string_view of) {
    Tokens all;
    if (tokenizer_.bos()) all.push_back(*tokenizer_.bos());
    tokenizer_.append_ids(evaluation_text(question, of), {}, all);
    return all;
  };
  // What two partial solutions have in common, in tokens: texts may meet inside a token.
  const Tokens nothing = tokens(""), all = tokens(partial);
  const auto apart = std::mismatch(nothing.begin(), nothing.end(), all.begin(), all.end()).second;
  auto cut = apart;
  if (cut == all.end()) --cut;  // at least one token is read last
  return {{all.begin(), cut}, {cut, all.end()}};
}

}  // namespace tenfold::mcts_dpo
