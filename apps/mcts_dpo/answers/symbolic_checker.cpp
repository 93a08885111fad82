#include "mcts_dpo/answers/symbolic_checker.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tenfold::mcts_dpo {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using nlohmann::json;

namespace {

constexpr std::size_t kMostBytes = 512;
constexpr std::size_t kMostVerdicts = 1U << 16U;
constexpr int kMostFailedStarts = 3;

bool letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/// Runs of more letters are words, unless a backslash stands before them or they are functions.
constexpr std::size_t kMostLetters = 3;
constexpr std::array<std::string_view, 10> kFunctions = {
    "sqrt", "sinh", "cosh", "tanh", "asin", "acos", "atan", "arcsin", "arccos", "arctan"};

/// Whether it may be an expression: what is plainly a phrase is not worth asking.
bool may_be_expression(std::string_view text) {
  if (text.empty() || text.size() > kMostBytes) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] < ' ' || text[i] > '~') return false;
    std::size_t end = i;
    while (end < text.size() && letter(text[end])) ++end;
    const std::string_view word = text.substr(i, end - i);
    const bool command = i > 0 && text[i - 1] == '\\';
    if (word.size() > kMostLetters && !command &&
        std::none_of(kFunctions.begin(), kFunctions.end(),
                     [&](std::string_view each) { return word.starts_with(each); })) {
      return false;
    }
    i = std::max(end, i + 1);
  }
  return true;
}

/// A member of an answer's line; null where the line is none of the protocol's.
json member(const std::string& line, const char* name) {
  const json value = json::parse(line, nullptr, false);
  return value.is_object() && value.contains(name) ? value[name] : json();
}

std::string default_python() {
  const char* set = std::getenv("TENFOLD_PYTHON");
  return set != nullptr && *set != '\0' ? set : TENFOLD_PYTHON_PROGRAM;
}

}  // namespace

SymbolicChecker::SymbolicChecker(SymbolicOptions options) : options_(std::move(options)) {
  if (options_.python.empty()) options_.python = default_python();
  if (options_.worker.empty()) options_.worker = base::data_file("mcts_dpo/symbolic_worker.py");
}

void SymbolicChecker::require() const {
  const std::string hint =
      "Run jobs/setup, or name in TENFOLD_PYTHON a Python that has the package sympy, or leave out "
      "--symbolic-checker";
  std::optional<std::string> line;
  try {
    LineProcess process({options_.python, options_.worker.string(), "--check"});
    line = process.receive(options_.start_timeout);
  } catch (const Error& error) {
    throw Error(Code::kUsage, fmt::format("--symbolic-checker: {}", error.message()), hint);
  }
  if (line && member(*line, "ready").is_string()) return;
  const json why = line ? member(*line, "failed") : json();
  throw Error(Code::kUsage,
              fmt::format("--symbolic-checker: {}",
                          why.is_string() ? base::printable(why.get<std::string>())
                                          : fmt::format("{} {} --check did not answer",
                                                        options_.python, options_.worker.string())),
              hint);
}

bool SymbolicChecker::start() {
  ++counts_.starts;
  try {
    process_ = std::make_unique<LineProcess>(std::vector<std::string>{
        options_.python, options_.worker.string(), fmt::format("{}", options_.timeout)});
    const std::optional<std::string> line = process_->receive(options_.start_timeout);
    if (line && member(*line, "ready").is_string()) {
      failed_starts_ = 0;
      return true;
    }
    why_ = "its process did not start";
  } catch (const Error& error) {
    why_ = error.message();
  }
  process_.reset();
  if (++failed_starts_ < kMostFailedStarts) return false;
  throw Error(Code::kIo,
              fmt::format("the symbolic checker could not be started {} times in a row: {}",
                          failed_starts_, why_),
              "Its Python was there when the run began: is memory short?");
}

SymbolicChecker::Answer SymbolicChecker::ask(const std::string& request) {
  if (!process_ && !start()) return Answer::kNone;
  std::optional<std::string> line;
  if (process_->send(request)) line = process_->receive(options_.timeout);
  if (!line) {
    process_.reset();
    why_ = fmt::format("no answer within {:g} s, or its process died", options_.timeout);
    return Answer::kNone;
  }
  const json same = member(*line, "same");
  if (same.is_boolean()) return same.get<bool>() ? Answer::kSame : Answer::kDifferent;
  const json failed = member(*line, "failed");
  why_ = failed.is_string() ? failed.get<std::string>() : "an answer that is none";
  if (!failed.is_string()) process_.reset();
  return Answer::kNone;
}

bool SymbolicChecker::same(std::string_view a, std::string_view b) {
  if (!may_be_expression(a) || !may_be_expression(b)) return false;
  const std::string request = json{{"a", std::string(a)}, {"b", std::string(b)}}.dump();
  if (const auto known = verdicts_.find(request); known != verdicts_.end()) return known->second;
  ++counts_.asked;
  const Answer answer = ask(request);
  counts_.same += answer == Answer::kSame ? 1 : 0;
  if (answer == Answer::kNone) warn(a, b);
  if (verdicts_.size() >= kMostVerdicts) verdicts_.clear();
  return verdicts_[request] = answer == Answer::kSame;
}

void SymbolicChecker::warn(std::string_view a, std::string_view b) {
  ++counts_.unanswered;
  // 1, 2, 4, 8, ...: a model that writes many of them is not to fill the log.
  if (!std::has_single_bit(static_cast<std::uint64_t>(counts_.unanswered))) return;
  base::log_warning("symbolic checker: '{}' and '{}' count as different: {} ({} such pairs so far)",
                    base::printable(a), base::printable(b), why_, counts_.unanswered);
}

}  // namespace tenfold::mcts_dpo
