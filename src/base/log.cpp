#include "base/log.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::base {

namespace {

struct Logger {
  std::mutex mutex;
  std::FILE* file = nullptr;
  int rank = 0;
  bool configured = false;
  bool console = true;
  bool progress_shown = false;
  LogLevel level = LogLevel::kInfo;
};

// One per process by nature: the terminal is shared by everything in it.
Logger& logger() {
  static Logger instance;
  return instance;
}

const char* level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    default:
      return "error";
  }
}

void write_file(Logger& log, LogLevel level, const std::string& text) {
  if (log.file == nullptr) return;
  std::fprintf(log.file, "%s rank %d %s: %s\n", utc_timestamp().c_str(), log.rank,
               level_name(level), text.c_str());
  std::fflush(log.file);
}

void end_progress(Logger& log) {
  if (!log.progress_shown) return;
  std::fputs("\n", stdout);
  std::fflush(stdout);  // before whatever goes to stderr next
  log.progress_shown = false;
}

}  // namespace

void log_configure(int rank, bool console, LogLevel console_level) {
  Logger& log = logger();
  const std::lock_guard lock(log.mutex);
  log.configured = true;
  log.rank = rank;
  log.console = console;
  log.level = console_level;
}

void log_open_file(const std::filesystem::path& path) {
  Logger& log = logger();
  const std::lock_guard lock(log.mutex);
  if (log.file != nullptr) std::fclose(log.file);
  log.file = std::fopen(path.c_str(), "a");
  if (log.file == nullptr) {
    throw Error(Code::kIo,
                fmt::format("cannot write the log {}: {}", path.string(), std::strerror(errno)));
  }
}

void log_close() {
  Logger& log = logger();
  const std::lock_guard lock(log.mutex);
  if (log.file != nullptr) std::fclose(log.file);
  log.file = nullptr;
}

void log_line(LogLevel level, std::string_view text) {
  Logger& log = logger();
  const std::lock_guard lock(log.mutex);
  std::string safe;
  for (const std::string& line : split(text, '\n'))
    safe += (safe.empty() ? "" : "\n") + printable(line);
  write_file(log, level, safe);
  if (!log.console || level < log.level) return;
  end_progress(log);
  if (level == LogLevel::kWarning) safe.insert(0, "warning: ");
  std::FILE* stream = log.configured && level < LogLevel::kWarning ? stdout : stderr;
  std::fprintf(stream, "%s\n", safe.c_str());
  std::fflush(stream);
}

void log_progress(std::string_view text) {
  Logger& log = logger();
  const std::lock_guard lock(log.mutex);
  const std::string safe = printable(text);
  write_file(log, LogLevel::kInfo, safe);
  if (!log.console || log.level > LogLevel::kInfo) return;
  if (isatty(STDOUT_FILENO) != 0) {
    std::fprintf(stdout, "\r%s\033[K", safe.c_str());
    log.progress_shown = true;
  } else {
    std::fprintf(stdout, "%s\n", safe.c_str());
  }
  std::fflush(stdout);
}

std::string fatal_line(int code, int rank, std::string_view host, std::string_view text) {
  return fmt::format("tenfold: error[{}] rank {} ({}): {}", code, rank, host, text);
}

int print_fatal(int code, std::string_view text) {
  std::fflush(stdout);
  std::fprintf(stderr, "tenfold: error[%d]: %s\n", code, printable(text).c_str());
  return code;
}

}  // namespace tenfold::base
