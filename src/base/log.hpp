// One logger per process: rank 0 speaks on the terminal, every rank writes its own file.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace tenfold::base {

enum class LogLevel : int { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3, kSilent = 4 };

/// Sets who this process is; before it, lines go to stderr only. Not collective.
void log_configure(int rank, bool console, LogLevel console_level);
/// From now on every line (of any level) is also appended to path, with time and rank.
/// Throws Code::kIo when it cannot be opened.
void log_open_file(const std::filesystem::path& path);
void log_close();
/// Thread-safe; control bytes are escaped. Info goes to stdout, warnings and errors to stderr.
void log_line(LogLevel level, std::string_view text);
/// A line that overwrites itself on a terminal and is an ordinary line elsewhere.
void log_progress(std::string_view text);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
}

/// "tenfold: error[4] rank 3 (node7): MESSAGE. HINT", the one form of a fatal line.
std::string fatal_line(int code, int rank, std::string_view host, std::string_view text);
/// The same without rank and host, for programs of one process: printed to stderr, behind all that
/// went to stdout. Control bytes are escaped. Returns the code.
int print_fatal(int code, std::string_view text);

}  // namespace tenfold::base
