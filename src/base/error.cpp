#include "base/error.hpp"

namespace tenfold::base {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kOk:
      return "ok";
    case Code::kBug:
      return "bug";
    case Code::kUsage:
      return "usage";
    case Code::kData:
      return "bad input data";
    case Code::kIo:
      return "I/O";
    case Code::kNumeric:
      return "numeric";
    case Code::kCheckpoint:
      return "checkpoint unusable";
    case Code::kStopped:
      return "stopped with a checkpoint";
    case Code::kWatchdog:
      return "watchdog";
  }
  return "unknown";
}

Error::Error(Code code, std::string message, std::string hint, std::source_location where)
    : code_(code), message_(std::move(message)), hint_(std::move(hint)), where_(where) {
  text_ = hint_.empty() ? message_ : message_ + ". " + hint_;
}

std::string Error::where() const {
  std::string_view file = where_.file_name();
  if (const auto slash = file.rfind('/'); slash != std::string_view::npos) {
    file.remove_prefix(slash + 1);
  }
  return fmt::format("{}:{}", file, where_.line());
}

void require(bool condition, std::string_view message, std::source_location where) {
  if (!condition) {
    throw Error(Code::kBug, fmt::format("internal error: {}", message),
                "This is a bug in Tenfold, please report it with the log", where);
  }
}

}  // namespace tenfold::base
