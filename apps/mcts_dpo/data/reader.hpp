// Questions from files in the formats that data sets come in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcts_dpo/data/question.hpp"

namespace tenfold::mcts_dpo {

/// --format:
///   jsonl    {"id", "question", "answer", "solution"?, "choices"?, "answer_key"?}; solution is a
///   text or a
///            list of lines; with choices either the key or the answer says which is right
///   gsm8k    {"question", "answer": "... <<2+3=5>>...\n#### 5"}
///   math     {"problem", "solution": "... \boxed{5}"}, "answer" where given; also a folder of such
///   files sciq     {"question", "correct_answer", "distractor1" to "3", "support"?}; the order of
///   choices is drawn arc      {"id", "question": {"stem", "choices": [{"text", "label"}]},
///   "answerKey"}, as ARC, OpenBookQA
///            and CommonsenseQA come, or Hugging Face's flat form with "choices": {"text": [],
///            "label": []} and "question" or "question_stem"; labels A, B, ... or 1, 2, ...
/// A file is JSON Lines, one JSON array, or (ending in .json) one object.
enum class DataFormat { kJsonl, kGsm8k, kMath, kSciq, kArc };

std::string_view format_name(DataFormat format);
/// Throws Code::kUsage naming the formats.
DataFormat parse_format(std::string_view name);

struct ReadOptions {
  std::optional<DataFormat> format =
      std::nullopt;               ///< else by the fields of the first row that is an object
  bool keep_calculator = false;   ///< of gsm8k: leave its <<2+3=5>> in solutions
  std::size_t skip_bad_rows = 0;  ///< so many may be left out (--skip-bad-rows)
  std::size_t most_row_bytes = 1U << 20;
  std::uint32_t seed = 0;  ///< of the order of choices that is drawn
};

struct ReadReport {
  DataFormat format = DataFormat::kJsonl;
  std::vector<Question> questions;
  /// Rows left out, by cause ("malformed JSON", "missing field", "not UTF-8", ...).
  std::map<std::string, std::size_t> bad_rows;
  /// "train.jsonl:17: missing field: answer", the first five.
  std::vector<std::string> first_bad;

  std::size_t bad() const;
};

/// Reads a file, or a folder of .json files (sorted by path) for math. Throws Code::kData naming
/// file, line, cause and field for the first bad row beyond skip_bad_rows, for a format that cannot
/// be told, and when no question is left; Code::kIo when a file cannot be read.
ReadReport read_questions(const std::filesystem::path& path, const ReadOptions& options = {});

/// The same of a text; name stands for the file in messages and in ids where the rows have none.
ReadReport read_questions_text(std::string_view text, const std::string& name,
                               const ReadOptions& options = {});

/// One line of our own format, jsonl, without its newline.
std::string question_json(const Question& question);

/// Writes a file of that format, wholly or not at all; read_questions gives the same questions
/// back, but for their line numbers. Throws Code::kIo.
void write_questions(const std::filesystem::path& path, const std::vector<Question>& questions);

}  // namespace tenfold::mcts_dpo
