// One question with its answer and, where there is one, a solution to learn from; how it becomes a
// prompt.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::mcts_dpo {

struct Question {
  std::string id;
  std::string text;
  /// The right answer; of a multiple-choice question the text of the right choice.
  std::string answer;
  /// Lines, one a step; the last is "The answer is ...", whatever the teacher who wrote it
  /// answered. Empty where the data have none.
  std::vector<std::string> solution;
  /// Texts of the choices, (A) first; empty for an open question. Prompts list them.
  std::vector<std::string> choices;
  /// "A", "B", ...; empty for an open question.
  std::string answer_key;
  /// Line of the file that it was read from, counted from 1; 0 when it was generated.
  std::size_t line = 0;

  bool operator==(const Question&) const = default;
};

/// Lines that hold any byte, as they are.
std::vector<std::string> lines_of(std::string_view text);

/// Letters that choices may have.
inline constexpr std::size_t kMostChoices = 26;

/// "A" for 0. Throws Code::kBug from kMostChoices on.
std::string choice_letter(std::size_t index);

/// What a solution must say: "The answer is 18", of a multiple-choice question "The answer is (B)".
std::string answer_line(const Question& question);

/// The lines of the solution with newlines between them; "" when there is none.
std::string solution_text(const Question& question);

/// Texts around a question (mcts_dpo.md section 3). {question} stands for the question's text
/// followed by its choices, {text} and {choices} for the two alone, \n for a newline and \\ for a
/// backslash.
struct PromptTemplates {
  std::string question = "QUESTION: {question}\\n\\n";
  std::string answer = "ANSWER:";
};

/// "Answer Choices: (A) one (B) two", or "" for an open question.
std::string choices_text(const Question& question);

/// Both templates, one after the other, filled in. Throws Code::kUsage for a placeholder that does
/// not exist and for a brace or backslash that opens nothing.
std::string prompt_text(const Question& question, const PromptTemplates& templates);

/// Fills in {name} by values.at(i) where names.at(i) == name, and \n and \\. option names the
/// template in errors, which are Code::kUsage.
std::string fill_template(std::string_view option, std::string_view text,
                          const std::vector<std::string>& names,
                          const std::vector<std::string>& values);

}  // namespace tenfold::mcts_dpo
