#include "mcts_dpo/data/question.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::mcts_dpo {

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines = base::split(text, '\n');
  std::erase(lines, "");
  return lines;
}

std::string choice_letter(std::size_t index) {
  base::require(index < kMostChoices, "a choice beyond the letters");
  return {static_cast<char>('A' + index)};
}

std::string answer_line(const Question& question) {
  if (!question.answer_key.empty()) return fmt::format("The answer is ({})", question.answer_key);
  return fmt::format("The answer is {}", question.answer);
}

std::string solution_text(const Question& question) {
  return base::join(question.solution, "\n");
}

std::string choices_text(const Question& question) {
  if (question.choices.empty()) return {};
  std::string text = "Answer Choices:";
  for (std::size_t i = 0; i < question.choices.size(); ++i) {
    text += fmt::format(" ({}) {}", choice_letter(i), question.choices[i]);
  }
  return text;
}

std::string fill_template(std::string_view option, std::string_view text,
                          const std::vector<std::string>& names,
                          const std::vector<std::string>& values) {
  const auto refuse = [&](const std::string& what) -> base::Error {
    return {base::Code::kUsage, fmt::format("{}: {}", option, what),
            fmt::format("It knows {{{}}}, \\n and \\\\", base::join(names, "}, {"))};
  };
  std::string filled;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
      if (i == text.size()) throw refuse("a backslash at the end");
      if (text[i] != 'n' && text[i] != '\\')
        throw refuse(fmt::format("\\{} is no escape", text[i]));
      filled += text[i] == 'n' ? '\n' : '\\';
    } else if (text[i] == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string_view::npos) throw refuse("a brace that is not closed");
      const std::string_view name = text.substr(i + 1, end - i - 1);
      const auto found = std::find(names.begin(), names.end(), name);
      if (found == names.end()) throw refuse(fmt::format("no placeholder {{{}}}", name));
      filled += values.at(static_cast<std::size_t>(found - names.begin()));
      i = end;
    } else {
      filled += text[i];
    }
  }
  return filled;
}

std::string prompt_text(const Question& question, const PromptTemplates& templates) {
  const std::string choices = choices_text(question);
  const std::string both =
      choices.empty() ? question.text : fmt::format("{}\n{}", question.text, choices);
  const std::vector<std::string> names = {"question", "text", "choices"};
  const std::vector<std::string> values = {both, question.text, choices};
  return fill_template("--prompt.question", templates.question, names, values) +
         fill_template("--prompt.answer", templates.answer, names, values);
}

}  // namespace tenfold::mcts_dpo
