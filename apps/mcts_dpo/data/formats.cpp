#include "mcts_dpo/data/formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/philox.hpp"
#include "base/shuffle.hpp"
#include "base/text.hpp"
#include "mcts_dpo/answers/extract.hpp"
#include "mcts_dpo/data/splits.hpp"
#include "mcts_dpo/data/steps.hpp"

namespace tenfold::mcts_dpo {

namespace {

using nlohmann::json;

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

const json& member(const json& row, const std::string& field) {
  const auto found = row.find(field);
  if (found == row.end() || found->is_null()) throw BadRow{"missing field", field, ""};
  return *found;
}

std::string as_text(const json& value, const std::string& field) {
  if (!value.is_string()) {
    throw BadRow{"wrong type", field, fmt::format("{} in place of a string", value.type_name())};
  }
  return trimmed(value.get_ref<const std::string&>());
}

std::string text_of(const json& row, const std::string& field) {
  return as_text(member(row, field), field);
}

std::string optional_text(const json& row, const std::string& field) {
  const auto found = row.find(field);
  if (found == row.end() || found->is_null()) return {};
  return as_text(*found, field);
}

/// Texts that must say something.
std::string filled(const json& row, const std::string& field, const std::string& cause) {
  std::string text = text_of(row, field);
  if (text.empty()) throw BadRow{cause, field, ""};
  return text;
}

std::string id_of(const json& row, const std::string& field) {
  const auto found = row.find(field);
  if (found == row.end() || found->is_null()) return {};
  if (found->is_number_integer()) return found->dump();
  std::string id = as_text(*found, field);
  if (id.empty()) throw BadRow{"empty id", field, ""};
  return id;
}

/// A text or, as many files have it, a number.
std::string filled_answer(const json& row) {
  const json& answer = member(row, "answer");
  return answer.is_number() ? answer.dump() : filled(row, "answer", "empty answer");
}

std::vector<std::string> trimmed_lines(const std::string& text) {
  std::vector<std::string> lines = lines_of(text);
  for (std::string& line : lines) line = trimmed(line);
  std::erase(lines, "");
  return lines;
}

void close_solution(Question& question) {
  if (!question.solution.empty() && !states_answer(question.solution.back())) {
    question.solution.push_back(answer_line(question));
  }
}

/// Sets choices, key and answer. labels may be letters, numbers or anything else; key is one of
/// them.
void set_choices(Question& question, std::vector<std::string> texts,
                 const std::vector<std::string>& labels, const std::string& key,
                 const std::string& field) {
  if (texts.size() < 2 || texts.size() > kMostChoices) {
    throw BadRow{"number of choices", field, fmt::format("{} choices", texts.size())};
  }
  if (labels.size() != texts.size()) {
    throw BadRow{"number of choices", field,
                 fmt::format("{} texts, {} labels", texts.size(), labels.size())};
  }
  const auto right = std::find(labels.begin(), labels.end(), key);
  if (right == labels.end() || std::count(labels.begin(), labels.end(), key) != 1) {
    throw BadRow{"answer key is no choice", field, fmt::format("\"{}\"", base::printable(key))};
  }
  const auto index = static_cast<std::size_t>(right - labels.begin());
  for (const std::string& text : texts) {
    if (text.empty()) throw BadRow{"empty choice", field, ""};
  }
  question.answer_key = choice_letter(index);
  question.answer = texts[index];
  question.choices = std::move(texts);
}

Question jsonl_row(const json& row) {
  Question question;
  question.id = id_of(row, "id");
  if (question.id.empty()) throw BadRow{"missing field", "id", ""};
  question.text = filled(row, "question", "empty question");
  question.answer = filled_answer(row);
  if (row.contains("choices") && !row["choices"].is_null()) {
    const json& listed = row["choices"];
    if (!listed.is_array()) throw BadRow{"wrong type", "choices", "not a list of strings"};
    std::vector<std::string> texts, letters;
    for (const json& one : listed) texts.push_back(as_text(one, "choices"));
    for (std::size_t i = 0; i < std::min(texts.size(), kMostChoices); ++i) {
      letters.push_back(choice_letter(i));
    }
    std::string answer = question.answer;
    const std::string key = optional_text(row, "answer_key");
    set_choices(question, texts, key.empty() ? texts : letters, key.empty() ? answer : key,
                key.empty() ? "answer" : "answer_key");
    if (answer != question.answer && answer != question.answer_key) {
      throw BadRow{"answer and key differ", "answer",
                   fmt::format("\"{}\", but ({}) is \"{}\"", base::printable(answer),
                               question.answer_key, base::printable(question.answer))};
    }
  }
  if (row.contains("solution") && row["solution"].is_array()) {
    for (const json& line : row["solution"]) {
      std::string text = as_text(line, "solution");
      if (!text.empty()) question.solution.push_back(std::move(text));
    }
  } else {
    question.solution = trimmed_lines(optional_text(row, "solution"));
  }
  close_solution(question);
  return question;
}

std::string without_calculator(const std::string& text) {
  std::string plain;
  std::size_t at = 0;
  for (std::size_t open; (open = text.find("<<", at)) != std::string::npos;) {
    const std::size_t close = text.find(">>", open);
    if (close == std::string::npos) break;
    plain.append(text, at, open - at);
    at = close + 2;
  }
  return plain.append(text, at);
}

Question gsm8k_row(const json& row, bool keep_calculator) {
  Question question;
  question.id = id_of(row, "id");
  question.text = filled(row, "question", "empty question");
  const std::string answer = filled(row, "answer", "empty answer");
  const std::size_t mark = answer.rfind("####");
  if (mark == std::string::npos) throw BadRow{"no final answer", "answer", "without ####"};
  question.answer = trimmed(std::string_view(answer).substr(mark + 4));
  if (question.answer.empty()) throw BadRow{"empty answer", "answer", "behind ####"};
  const std::string solution = answer.substr(0, mark);
  question.solution = trimmed_lines(keep_calculator ? solution : without_calculator(solution));
  close_solution(question);
  return question;
}

Question math_row(const json& row) {
  Question question;
  question.id = id_of(row, row.contains("unique_id") ? "unique_id" : "id");
  question.text = filled(row, "problem", "empty question");
  const std::string solution = filled(row, "solution", "empty solution");
  if (row.contains("answer")) {
    question.answer = filled_answer(row);
  } else {
    const std::optional<std::string> boxed = last_boxed(solution);
    if (!boxed) throw BadRow{"no final answer", "solution", "without \\boxed{}"};
    if (boxed->empty()) throw BadRow{"empty answer", "solution", "an empty or unclosed \\boxed{}"};
    question.answer = *boxed;
  }
  question.solution = trimmed_lines(solution);
  // Not by close_solution: MATH's own "the answer is $\boxed{3}$" mostly stands in a longer line.
  question.solution.push_back(answer_line(question));
  return question;
}

Question sciq_row(const json& row, std::uint32_t seed) {
  Question question;
  question.id = id_of(row, "id");
  question.text = filled(row, "question", "empty question");
  std::vector<std::string> texts = {filled(row, "correct_answer", "empty answer")};
  const std::string right = texts[0];
  for (const char* field : {"distractor1", "distractor2", "distractor3"}) {
    texts.push_back(filled(row, field, "empty choice"));
  }
  question.choices = texts;
  const std::uint64_t hash = question_hash(question);
  base::Stream stream(seed, base::Purpose::kDataItem, static_cast<std::uint32_t>(hash),
                      hash >> 32 | std::uint64_t{1} << 63);
  base::shuffle(texts, stream);
  set_choices(question, texts, texts, right, "correct_answer");
  question.solution = trimmed_lines(optional_text(row, "support"));
  close_solution(question);
  return question;
}

std::string label_of(const json& label, const std::string& field) {
  return label.is_number_integer() ? label.dump() : as_text(label, field);
}

Question arc_row(const json& row) {
  Question question;
  question.id = id_of(row, "id");
  std::vector<std::string> texts, labels;
  const bool nested = row.contains("question") && row["question"].is_object();
  const json& holder = nested ? row["question"] : row;
  question.text = filled(holder,
                         nested                          ? "stem"
                         : row.contains("question_stem") ? "question_stem"
                                                         : "question",
                         "empty question");
  const json& choices = member(holder, "choices");
  if (choices.is_array()) {
    for (const json& choice : choices) {
      if (!choice.is_object()) throw BadRow{"wrong type", "choices", "a choice that is no object"};
      texts.push_back(text_of(choice, "text"));
      labels.push_back(label_of(member(choice, "label"), "label"));
    }
  } else if (choices.is_object()) {
    for (const char* field : {"text", "label"}) {
      const json& list = member(choices, field);
      if (!list.is_array()) throw BadRow{"wrong type", field, "not a list"};
      for (const json& one : list) {
        if (field[0] == 't') {
          texts.push_back(as_text(one, field));
        } else {
          labels.push_back(label_of(one, field));
        }
      }
    }
  } else {
    throw BadRow{"wrong type", "choices", "neither list nor object"};
  }
  const std::string key = label_of(member(row, "answerKey"), "answerKey");
  if (key.empty())
    throw BadRow{"empty answer", "answerKey", ""};  // of test sets whose keys are held back
  set_choices(question, std::move(texts), labels, key, "answerKey");
  return question;
}

}  // namespace

std::optional<DataFormat> detect_format(const json& row) {
  if (row.contains("answerKey")) return DataFormat::kArc;
  if (row.contains("correct_answer")) return DataFormat::kSciq;
  if (row.contains("problem")) return DataFormat::kMath;
  if (!row.contains("question") || !row.contains("answer")) return std::nullopt;
  const json& answer = row["answer"];
  const bool marked =
      answer.is_string() && answer.get_ref<const std::string&>().find("####") != std::string::npos;
  return marked ? DataFormat::kGsm8k : DataFormat::kJsonl;
}

Question question_of(const json& row, DataFormat format, const ReadOptions& options) {
  switch (format) {
    case DataFormat::kGsm8k:
      return gsm8k_row(row, options.keep_calculator);
    case DataFormat::kMath:
      return math_row(row);
    case DataFormat::kSciq:
      return sciq_row(row, options.seed);
    case DataFormat::kArc:
      return arc_row(row);
    case DataFormat::kJsonl:
      break;
  }
  return jsonl_row(row);
}

}  // namespace tenfold::mcts_dpo
