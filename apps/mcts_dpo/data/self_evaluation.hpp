// Questions to a model about a partial solution: is it right so far? (mcts_dpo.md sections 2.6
// and 9.5)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mcts_dpo/data/generated_task.hpp"
#include "mcts_dpo/data/question.hpp"

namespace tenfold::mcts_dpo {

/// What the model is shown of the right solution (--reference).
enum class EvaluationReference { kSolution, kAnswer, kNone };

/// "solution", "answer", "none"; throws Code::kUsage naming them.
EvaluationReference parse_evaluation_reference(std::string_view name);

/// Placeholders of eval: {question} (with its choices), {reference}, {partial} (lines so far),
/// {options}. {reference} is the template of that name filled in, nothing without a reference; in
/// it {reference} is the reference itself. The prompt ends where the letter begins.
struct EvaluationTemplates {
  std::string eval =
      "QUESTION: {question}\\n\\n{reference}PARTIAL SOLUTION:\\n{partial}\\n\\n"
      "Is every line of it right ? {options}\\nANSWER: The answer is";
  std::string reference = "REFERENCE:\\n{reference}\\n\\n";
  std::string right = "yes", wrong = "no";  ///< texts of the two options
  char right_letter = 'B';                  ///< the other one is wrong: A and B, in this order
  EvaluationReference shown = EvaluationReference::kSolution;
};

/// Throws Code::kUsage for placeholders that do not exist and a letter that is neither A nor B.
std::string evaluation_prompt(const Question& question, std::span<const std::string> partial,
                              const EvaluationTemplates& templates);

/// "(B)" for right unless the letter is A.
std::string verdict_text(bool right, const EvaluationTemplates& templates);

struct EvaluationExample {
  std::string id;
  std::string prompt;
  std::string verdict;  ///< "(A)" or "(B)"; goes behind the prompt and a space
  bool right = false;
  std::vector<std::string> partial;
  std::optional<std::size_t> wrong_line;  ///< the first wrong line, from 0; none when right
};

/// Example `index`, of a question with a right solution of the task (a flawed teacher's will not
/// do): with odd numbers a beginning that holds one spoilt line and may go on behind it
/// (GeneratedTask::corrupted), with even ones a true beginning, of a length that is drawn in the
/// same way. A pure function of its arguments. None when no line can be spoilt.
std::optional<EvaluationExample> evaluation_example(const GeneratedTask& task,
                                                    const Question& question, std::uint32_t seed,
                                                    Split split, std::uint32_t index,
                                                    const EvaluationTemplates& templates);

/// Spoils one number of a line of any data set, for tasks that have no rules of their own: the last
/// number of solution[line] gets another value of as many digits. Lines behind it are left out.
/// None when the line has no number.
std::optional<std::vector<std::string>> corrupt_number(std::span<const std::string> solution,
                                                       std::size_t line, base::Stream& stream);

}  // namespace tenfold::mcts_dpo
