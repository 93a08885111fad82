#include "mcts_dpo/data/reader.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "mcts_dpo/data/formats.hpp"
#include "mcts_dpo/data/rows.hpp"

namespace tenfold::mcts_dpo {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 5> kFormats = {"jsonl", "gsm8k", "math", "sciq", "arc"};
constexpr std::size_t kMostFileBytes = std::size_t{8} << 30;
constexpr std::size_t kShown = 5;

json parsed(const Row& row, const ReadOptions& options) {
  if (row.text.size() > options.most_row_bytes) {
    throw BadRow{"too long", "",
                 fmt::format("{} bytes, at most {}", row.text.size(), options.most_row_bytes)};
  }
  if (!base::is_valid_utf8(row.text)) throw BadRow{"not UTF-8", "", ""};
  json value;
  try {
    value = json::parse(row.text);
  } catch (const json::exception& error) {
    throw BadRow{"malformed JSON", "", base::printable(error.what())};
  }
  if (!value.is_object()) {
    throw BadRow{"wrong type", "", fmt::format("{} in place of an object", value.type_name())};
  }
  return value;
}

/// Reads the rows of one or more texts into one report.
class Reader {
 public:
  explicit Reader(const ReadOptions& options) : options_(options), format_(options.format) {}

  /// name: as in messages. given_id: of rows without an id; with line numbers when numbered.
  void read(std::string_view text, const std::string& name, bool one_object,
            const std::string& given_id, bool numbered) {
    for (const Row& row : split_rows(text, one_object)) {
      try {
        const json value = parsed(row, options_);
        if (!format_) format_ = detected(value);
        Question question = question_of(value, *format_, options_);
        question.line = row.line;
        if (question.id.empty()) {
          question.id = numbered ? fmt::format("{}-{}", given_id, row.line) : given_id;
        }
        const std::string place = fmt::format("{}:{}", name, row.line);
        const auto [known, added] = places_.emplace(question.id, place);
        if (!added) {
          throw BadRow{
              "duplicate id", "id",
              fmt::format("\"{}\" is at {} too", base::printable(question.id), known->second)};
        }
        report_.questions.push_back(std::move(question));
      } catch (const BadRow& bad) {
        note(bad, fmt::format("{}:{}", name, row.line));
      }
    }
  }

  ReadReport finish(const std::string& name) {
    if (report_.questions.empty()) {
      throw base::Error(base::Code::kData,
                        report_.bad() == 0
                            ? fmt::format("{}: no questions", name)
                            : fmt::format("{}: no questions left of {} rows; the first: {}", name,
                                          report_.bad(), report_.first_bad.front()));
    }
    report_.format = format_.value();
    return std::move(report_);
  }

 private:
  static DataFormat detected(const json& row) {
    if (const std::optional<DataFormat> format = detect_format(row)) return *format;
    std::vector<std::string> fields;
    for (const auto& [field, value] : row.items()) fields.push_back(base::printable(field));
    if (fields.size() > 12) fields.resize(12);
    throw BadRow{"unknown format", "",
                 fmt::format("a row with the fields {}", base::join(fields, ", "))};
  }

  void note(const BadRow& bad, const std::string& place) {
    std::string message = fmt::format("{}: {}", place, bad.cause);
    if (!bad.field.empty()) message += ": " + bad.field;
    if (!bad.detail.empty()) message += fmt::format(" ({})", bad.detail);
    if (report_.first_bad.size() < kShown) report_.first_bad.push_back(message);
    ++report_.bad_rows[bad.cause];
    if (report_.bad() > options_.skip_bad_rows) {
      if (options_.skip_bad_rows > 0) {
        message +=
            fmt::format("; {} bad rows, {} may be skipped", report_.bad(), options_.skip_bad_rows);
      }
      throw base::Error(base::Code::kData, message,
                        "Correct the row, or allow some with --skip-bad-rows");
    }
  }

  const ReadOptions& options_;
  std::optional<DataFormat> format_;
  ReadReport report_;
  std::unordered_map<std::string, std::string> places_;
};

std::vector<fs::path> json_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_regular_file() && entry->path().extension() == ".json")
      files.push_back(entry->path());
  }
  if (error) {
    throw base::Error(base::Code::kIo,
                      fmt::format("cannot read {}: {}", folder.string(), error.message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::size_t ReadReport::bad() const {
  std::size_t sum = 0;
  for (const auto& [cause, count] : bad_rows) sum += count;
  return sum;
}

std::string_view format_name(DataFormat format) {
  return kFormats.at(static_cast<std::size_t>(format));
}

DataFormat parse_format(std::string_view name) {
  for (std::size_t i = 0; i < kFormats.size(); ++i) {
    if (kFormats[i] == name) return static_cast<DataFormat>(i);
  }
  throw base::Error(base::Code::kUsage, fmt::format("no data format \"{}\"", name),
                    "One of jsonl, gsm8k, math, sciq, arc");
}

ReadReport read_questions(const fs::path& path, const ReadOptions& options) {
  std::error_code ignored;
  Reader reader(options);
  if (fs::is_directory(path, ignored)) {
    for (const fs::path& file : json_files(path)) {
      const std::string id = fs::path(file.lexically_relative(path)).replace_extension().string();
      reader.read(base::read_text(file, kMostFileBytes), file.string(), true, id, false);
    }
  } else {
    reader.read(base::read_text(path, kMostFileBytes), path.string(), path.extension() == ".json",
                path.stem().string(), true);
  }
  return reader.finish(path.string());
}

ReadReport read_questions_text(std::string_view text, const std::string& name,
                               const ReadOptions& options) {
  Reader reader(options);
  reader.read(text, name, fs::path(name).extension() == ".json", fs::path(name).stem().string(),
              true);
  return reader.finish(name);
}

std::string question_json(const Question& question) {
  // Ordered, so that files read as the specification lists the fields.
  nlohmann::ordered_json row;
  row["id"] = question.id;
  row["question"] = question.text;
  row["answer"] = question.answer;
  if (!question.solution.empty()) row["solution"] = question.solution;
  if (!question.choices.empty()) {
    row["choices"] = question.choices;
    row["answer_key"] = question.answer_key;
  }
  return row.dump();
}

void write_questions(const fs::path& path, const std::vector<Question>& questions) {
  std::string text;
  for (const Question& question : questions) text += question_json(question) + "\n";
  base::write_atomic(path, text);
}

}  // namespace tenfold::mcts_dpo
