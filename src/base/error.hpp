// The one exception type of the suite and the exit codes that it maps to.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace tenfold::base {

/// Kinds of failure; the number is the process's exit code (docs/architecture.md, "Exit codes").
enum class Code : int {
  kOk = 0,
  kBug = 1,
  kUsage = 2,
  kData = 3,
  kIo = 4,
  kNumeric = 5,
  kCheckpoint = 6,
  kStopped = 75,
  kWatchdog = 124,
};

std::string_view code_name(Code code);

/// What was wrong (message, with file, option or tensor named) and what to do about it (hint).
class Error : public std::exception {
 public:
  Error(Code code, std::string message, std::string hint = {},
        std::source_location where = std::source_location::current());

  const char* what() const noexcept override { return text_.c_str(); }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }
  /// "file.cpp:123", for logs and for Code::kBug.
  std::string where() const;

 private:
  Code code_;
  std::string message_;
  std::string hint_;
  std::string text_;
  std::source_location where_;
};

/// Throws Code::kBug when an internal invariant does not hold. Never for checking input.
void require(bool condition, std::string_view message,
             std::source_location where = std::source_location::current());

}  // namespace tenfold::base
