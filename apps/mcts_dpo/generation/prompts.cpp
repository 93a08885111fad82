#include "mcts_dpo/generation/prompts.hpp"

#include <algorithm>
#include <cctype>

#include "base/error.hpp"

namespace tenfold::mcts_dpo {

EvaluationTemplates evaluation_templates(const Config& config) {
  EvaluationTemplates templates;
  templates.eval = config.prompt_evaluation;
  templates.reference = config.prompt_reference;
  templates.right = config.right_option;
  templates.wrong = config.wrong_option;
  templates.right_letter = config.right_letter.front();
  templates.shown = parse_evaluation_reference(config.reference);
  return templates;
}

Prompts::Prompts(const Config& config, const dataset::Tokenizer& tokenizer)
    : tokenizer_(tokenizer),
      templates_{config.prompt_question, config.prompt_answer},
      evaluation_(mcts_dpo::evaluation_templates(config)) {
  if (tokenizer.end_tokens().empty()) {
    throw base::Error(base::Code::kData,
                      "the model's tokenizer has no token that ends a text: solutions would never "
                      "end",
                      "Name eos_token in tokenizer_config.json or eos_token_id in config.json");
  }
  static_cast<void>(prompt_text(Question{}, templates_));  // refuses what cannot be filled
  if (config.self_evaluation != "off" || config.verdicts > 0) find_verdicts();
  if (config.self_evaluation == "official") find_variants();
}

// Both verdicts in tokens: they part at some token, which is where an opinion is read.
void Prompts::find_verdicts() {
  static_cast<void>(evaluation_prompt(Question{}, {}, evaluation_));
  const Tokens right = continuation(" " + verdict_text(true, evaluation_));
  const Tokens wrong = continuation(" " + verdict_text(false, evaluation_));
  const auto [at, other] = std::mismatch(right.begin(), right.end(), wrong.begin(), wrong.end());
  base::require(at != right.end() && other != wrong.end(), "Prompts: verdicts are one text");
  verdict_begin_.assign(right.begin(), at);
  right_ = *at;
  wrong_ = *other;
}

std::optional<std::int32_t> Prompts::single(const std::string& text) const {
  Tokens tokens;
  try {
    tokens = continuation(text);
  } catch (const base::Error& error) {
    if (error.code() != base::Code::kData) throw;
    return std::nullopt;  // a word that the vocabulary has not
  }
  if (tokens.size() != 1 || tokens.front() == tokenizer_.unknown()) return std::nullopt;
  return tokens.front();
}

Tokens Prompts::variants(bool right) const {
  const std::string letter(1, verdict_text(right, evaluation_).at(1));
  const std::string& word = right ? evaluation_.right : evaluation_.wrong;
  std::string capital = word;
  capital.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(word.front())));
  Tokens found;
  for (const std::string& text : {letter, "(" + letter, "(" + letter + ")", word, capital}) {
    for (const std::string& spelled : {text, " " + text}) {
      const auto token = single(spelled);
      if (token && std::find(found.begin(), found.end(), *token) == found.end()) {
        found.push_back(*token);
      }
    }
  }
  return found;
}

void Prompts::find_variants() {
  right_variants_ = variants(true);
  wrong_variants_ = variants(false);
  if (!right_variants_.empty() && !wrong_variants_.empty()) return;
  throw base::Error(base::Code::kData,
                    "--self-evaluation official: the tokenizer has no single token for the letter "
                    "or the text of an option",
                    "Choose other --right-option and --wrong-option, or --self-evaluation forced");
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
  // As a model writes on: a space goes before the first word, into whose token many tokenizers take
  // it.
  const std::string prompt = prompt_text(question, templates_);
  const bool joined = !prompt.empty() && prompt.back() != '\n' && prompt.back() != ' ';
  Tokens tokens = continuation((joined ? " " : "") + solution_text(question));
  tokens.push_back(ends().front());
  return tokens;
}

std::string Prompts::text(std::span<const std::int32_t> tokens) const {
  return tokenizer_.decode(tokens);
}

Tokens Prompts::open_evaluation(const Question& question, std::string_view partial) const {
  // Without the space that parts a solution from its prompt.
  partial.remove_prefix(std::min(partial.find_first_not_of(' '), partial.size()));
  Tokens tokens;
  if (tokenizer_.bos()) tokens.push_back(*tokenizer_.bos());
  tokenizer_.append_ids(evaluation_prompt(question, lines_of(partial), evaluation_), {}, tokens);
  return tokens;
}

Tokens Prompts::evaluation(const Question& question, std::string_view partial) const {
  Tokens tokens = open_evaluation(question, partial);
  tokens.insert(tokens.end(), verdict_begin_.begin(), verdict_begin_.end());
  return tokens;
}

Tokens Prompts::evaluation_lesson(const EvaluationExample& example, std::int64_t* prompt) const {
  Tokens tokens;
  if (tokenizer_.bos()) tokens.push_back(*tokenizer_.bos());
  tokenizer_.append_ids(example.prompt, {}, tokens);
  *prompt = static_cast<std::int64_t>(tokens.size());
  tokenizer_.append_ids(" " + example.verdict, {.continuation = true}, tokens);
  tokens.push_back(ends().front());
  return tokens;
}

}  // namespace tenfold::mcts_dpo
