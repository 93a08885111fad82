#include "mcts_dpo/data/self_evaluation.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::mcts_dpo {

namespace {

/// The streams of a task's own parts lie below this one.
constexpr std::uint8_t kEvaluationPart = 200;

std::string reference_block(const Question& question, const EvaluationTemplates& templates) {
  if (templates.shown == EvaluationReference::kNone) return {};
  const bool whole =
      templates.shown == EvaluationReference::kSolution && !question.solution.empty();
  return fill_template("--prompt.reference-text", templates.reference, {"reference"},
                       {whole ? solution_text(question) : answer_line(question)});
}

void check_letter(char letter) {
  if (letter == 'A' || letter == 'B') return;
  throw base::Error(base::Code::kUsage,
                    fmt::format("the letter for right is \"{}\"", base::printable({&letter, 1})),
                    "A or B");
}

}  // namespace

EvaluationReference parse_evaluation_reference(std::string_view name) {
  if (name == "solution") return EvaluationReference::kSolution;
  if (name == "answer") return EvaluationReference::kAnswer;
  if (name == "none") return EvaluationReference::kNone;
  throw base::Error(base::Code::kUsage, fmt::format("--reference \"{}\"", name),
                    "One of solution, answer, none");
}

std::string evaluation_prompt(const Question& question, std::span<const std::string> partial,
                              const EvaluationTemplates& templates) {
  check_letter(templates.right_letter);
  const bool right_first = templates.right_letter == 'A';
  const std::string options =
      fmt::format("(A) {} (B) {}", right_first ? templates.right : templates.wrong,
                  right_first ? templates.wrong : templates.right);
  const std::string choices = choices_text(question);
  return fill_template(
      "--prompt.evaluation", templates.eval, {"question", "reference", "partial", "options"},
      {choices.empty() ? question.text : fmt::format("{}\n{}", question.text, choices),
       reference_block(question, templates), base::join(partial, "\n"), options});
}

std::string verdict_text(bool right, const EvaluationTemplates& templates) {
  check_letter(templates.right_letter);
  const bool first = right == (templates.right_letter == 'A');
  return first ? "(A)" : "(B)";
}

std::optional<EvaluationExample> evaluation_example(const GeneratedTask& task,
                                                    const Question& question, std::uint32_t seed,
                                                    Split split, std::uint32_t index,
                                                    const EvaluationTemplates& templates) {
  const std::size_t lines = question.solution.size();
  if (lines == 0) return std::nullopt;
  base::Stream stream = item_stream(seed, split, index, 0, kEvaluationPart);
  EvaluationExample example;
  example.right = index % 2 == 0;
  const std::size_t length = 1 + stream.below(lines);
  const std::size_t first = stream.below(length);
  for (std::size_t i = 0; i < lines && !example.wrong_line; ++i) {
    const std::size_t line = (first + i) % lines;
    std::optional<std::vector<std::string>> spoilt = task.corrupted(question, line, stream);
    if (!spoilt || spoilt->size() <= line) continue;
    example.partial = std::move(*spoilt);
    example.partial.resize(std::clamp(length, line + 1, example.partial.size()));
    example.wrong_line = line;
  }
  if (!example.wrong_line) return std::nullopt;
  if (example.right) {
    // As long as a spoilt one, which may end early: else length would tell them apart, and the
    // wrong way round in a search, where the long ones are the wrong ones.
    std::copy_n(question.solution.begin(), example.partial.size(), example.partial.begin());
    example.wrong_line.reset();
  }
  example.id = fmt::format("{}-evaluation-{}", question.id, index);
  example.prompt = evaluation_prompt(question, example.partial, templates);
  example.verdict = verdict_text(example.right, templates);
  return example;
}

std::optional<std::vector<std::string>> corrupt_number(std::span<const std::string> solution,
                                                       std::size_t line, base::Stream& stream) {
  if (line >= solution.size()) return std::nullopt;
  std::vector<std::string> lines(solution.begin(),
                                 solution.begin() + static_cast<std::ptrdiff_t>(line) + 1);
  std::string& text = lines.back();
  const std::size_t last = text.find_last_of("0123456789");
  if (last == std::string::npos) return std::nullopt;
  const std::size_t before = text.find_last_not_of("0123456789", last);
  const std::size_t first = before == std::string::npos ? 0 : before + 1;
  const std::string old = text.substr(first, last - first + 1);
  // One digit changes, the first not to 0 unless it stands alone.
  const std::size_t at = stream.below(old.size());
  const bool leading = at == 0 && old.size() > 1;
  char digit = old[at];
  while (digit == old[at]) {
    digit = static_cast<char>((leading ? '1' : '0') +
                              static_cast<char>(stream.below(leading ? 9 : 10)));
  }
  text[first + at] = digit;
  return lines;
}

}  // namespace tenfold::mcts_dpo
