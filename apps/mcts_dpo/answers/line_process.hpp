// A process that answers lines by lines.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::mcts_dpo {

/// Its standard input and output are one socket of ours; of our other descriptors it has none but
/// standard error. It is spawned, not forked, so memory that the network's driver has registered is
/// never copied, and it is in a process group of its own, so a terminal's ^C reaches us alone.
class LineProcess {
 public:
  /// words: the program, found on PATH where it has no slash, and its arguments. Throws
  /// Code::kUsage where it cannot be started.
  explicit LineProcess(const std::vector<std::string>& words);
  /// Kills it.
  ~LineProcess();
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;

  /// Whether the line, which holds no newline, could be handed over.
  bool send(std::string_view line);
  /// The next line, without its newline; none after so many seconds, when the process has ended, or
  /// when the line has more than 64 KiB. After that only the destructor is of use.
  std::optional<std::string> receive(double seconds);

 private:
  pid_t process_ = -1;
  int socket_ = -1;
  std::string received_;
};

}  // namespace tenfold::mcts_dpo
