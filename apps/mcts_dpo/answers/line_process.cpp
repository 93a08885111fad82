#include "mcts_dpo/answers/line_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>

#include "base/error.hpp"

extern char** environ;

namespace tenfold::mcts_dpo {

namespace {

constexpr std::size_t kMostLine = std::size_t{64} << 10;

class SpawnSetting {
 public:
  explicit SpawnSetting(int end) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, end, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, end, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSetting() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetting(const SpawnSetting&) = delete;
  SpawnSetting& operator=(const SpawnSetting&) = delete;

  /// 0, or the errno of what failed.
  int spawn(pid_t* process, std::vector<char*>& arguments, std::vector<char*>& environment) const {
    return posix_spawnp(process, arguments.front(), &actions_, &attributes_, arguments.data(),
                        environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// Ours, with Python's hashes fixed, so that the order of its sets does not differ from run to run,
/// and without the files of byte code that it would leave.
class Environment {
 public:
  Environment() {
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string_view each = *entry;
      if (!each.starts_with("PYTHONHASHSEED=") && !each.starts_with("PYTHONDONTWRITEBYTECODE=")) {
        entries_.push_back(*entry);
      }
    }
    for (std::string& each : settings_) entries_.push_back(each.data());
    entries_.push_back(nullptr);
  }
  std::vector<char*>& entries() { return entries_; }

 private:
  std::array<std::string, 2> settings_ = {"PYTHONHASHSEED=0", "PYTHONDONTWRITEBYTECODE=1"};
  std::vector<char*> entries_;
};

}  // namespace

LineProcess::LineProcess(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw base::Error(base::Code::kIo,
                      fmt::format("cannot make a socket pair: {}", std::strerror(errno)));
  }
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& each : words) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const int failure = SpawnSetting(ends[1]).spawn(&process_, arguments, Environment().entries());
  ::close(ends[1]);
  if (failure != 0) {
    ::close(ends[0]);
    throw base::Error(base::Code::kUsage,
                      fmt::format("cannot start {}: {}", words.front(), std::strerror(failure)));
  }
  socket_ = ends[0];
}

LineProcess::~LineProcess() {
  ::close(socket_);
  ::kill(-process_, SIGKILL);  // and what it may have started
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool LineProcess::send(std::string_view line) {
  const std::string bytes = std::string(line) + '\n';
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count =
        ::send(socket_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

std::optional<std::string> LineProcess::receive(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
  while (true) {
    if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    const double left = std::chrono::duration<double>(deadline - Clock::now()).count();
    if (left <= 0 || received_.size() > kMostLine) return std::nullopt;
    pollfd waited{socket_, POLLIN, 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(std::ceil(std::min(left, 1e6) * 1e3)));
    if (ready <= 0) continue;  // the deadline, or a signal
    std::array<char, 4096> bytes{};
    const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) return std::nullopt;
    received_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace tenfold::mcts_dpo
