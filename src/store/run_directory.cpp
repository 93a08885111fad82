#include "store/run_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

/// The kernel drops the lock with the process, however it ends: a note that a killed job left in
/// the file does not keep the next one out.
struct RunDirectory::Lock {
  explicit Lock(const fs::path& path);
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  int descriptor = -1;
};

namespace {

/// "host:pid:since" as a sentence; the note may be from another version or half-written.
std::string holder(int descriptor) {
  std::array<char, 256> note{};
  const ssize_t size = ::pread(descriptor, note.data(), note.size() - 1, 0);
  const std::string text(note.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const auto parts = base::split(text.substr(0, text.find('\n')), ':');
  if (parts.size() < 3) return "another job";
  const std::string since = text.substr(parts[0].size() + parts[1].size() + 2);
  return fmt::format("process {} on {} since {}", base::printable(parts[1]),
                     base::printable(parts[0]), base::printable(since.substr(0, since.find('\n'))));
}

/// Entries that may be there before a run wrote its manifest.
bool is_ours(const std::string& name) {
  static constexpr std::array<std::string_view, 8> kParts = {
      ".lock",           "logs", "metrics",    "checkpoint",
      "manifest.h5.tmp", "STOP", "CHECKPOINT", "report.html"};
  return std::find(kParts.begin(), kParts.end(), name) != kParts.end() ||
         name.starts_with("slurm-");
}

void require_not_foreign(const fs::path& path) {
  std::error_code failure;
  for (fs::directory_iterator it(path, failure), end; !failure && it != end;
       it.increment(failure)) {
    const std::string name = it->path().filename().string();
    if (is_ours(name)) continue;
    throw Error(Code::kUsage,
                fmt::format("run directory {} is not empty and not of a run (it holds '{}')",
                            path.string(), base::printable(name)),
                "Choose an empty or new folder with --run-dir");
  }
  if (failure) {
    throw Error(Code::kIo, fmt::format("cannot list {}: {}", path.string(), failure.message()));
  }
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

}  // namespace

RunDirectory::Lock::Lock(const fs::path& path) {
  descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor < 0) {
    throw Error(Code::kIo, fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)),
                "Choose a folder that you may write with --run-dir");
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    const std::string who = holder(descriptor);
    if (reason == EWOULDBLOCK) {
      ::close(descriptor);
      throw Error(Code::kUsage,
                  fmt::format("run directory {} is in use by {}", path.parent_path().string(), who),
                  "Wait for it to end, stop it, or choose another folder with --run-dir");
    }
    base::log_warning("{} cannot be locked ({}): make sure that only one job uses this folder",
                      path.string(), std::strerror(reason));
  }
  const std::string note =
      fmt::format("{}:{}:{}\n", comm::host_name(), ::getpid(), base::utc_timestamp());
  const bool written =
      ::ftruncate(descriptor, 0) == 0 &&
      ::pwrite(descriptor, note.data(), note.size(), 0) == static_cast<ssize_t>(note.size());
  if (!written) {
    const std::string reason = std::strerror(errno);
    ::close(descriptor);
    throw Error(Code::kIo, fmt::format("cannot write {}: {}", path.string(), reason));
  }
}

RunDirectory::Lock::~Lock() {
  // A stale note would only confuse; failing to clear it harms nothing.
  if (::ftruncate(descriptor, 0) != 0) errno = 0;
  ::close(descriptor);
}

RunDirectory::RunDirectory(const comm::Communicator& communicator, fs::path path)
    : path_(std::move(path)) {
  communicator.agree([&] {
    if (path_.empty()) throw Error(Code::kUsage, "the run directory's name is empty");
    if (!communicator.is_root()) return;
    std::error_code ignored;
    if (fs::exists(path_, ignored) && !is_folder(path_)) {
      throw Error(Code::kUsage, fmt::format("run directory {} is not a folder", path_.string()),
                  "Choose another with --run-dir");
    }
    base::make_directories(path_);
    existed_ = fs::exists(manifest(), ignored);
    if (!existed_) require_not_foreign(path_);
    lock_ = std::make_unique<Lock>(path_ / ".lock");
    // Another job may have made it a run between the look and the lock.
    existed_ = fs::exists(manifest(), ignored);
    for (const char* part : {"logs", "metrics", "checkpoint"}) base::make_directories(path_ / part);
  });
  communicator.agree([&] {
    if (is_folder(path_ / "checkpoint")) return;
    throw Error(Code::kIo,
                fmt::format("{} cannot be seen on {}", path_.string(), comm::host_name()),
                "The run directory must be on a file system that all nodes share");
  });
  std::uint32_t existed = existed_ ? 1 : 0;
  communicator.broadcast(std::span<std::uint32_t>(&existed, 1));
  existed_ = existed == 1;
}

RunDirectory::~RunDirectory() = default;

fs::path RunDirectory::log(int rank) const {
  return path_ / "logs" / fmt::format("rank-{:05}.log", rank);
}

fs::path RunDirectory::next_segment() const {
  unsigned next = 0;
  std::error_code failure;
  for (fs::directory_iterator it(path_ / "metrics", failure), end; !failure && it != end;
       it.increment(failure)) {
    const std::string name = it->path().filename().string();
    unsigned number = 0;
    if (std::sscanf(name.c_str(), "seg-%u.h5", &number) == 1) next = std::max(next, number + 1);
  }
  if (failure) {
    throw Error(Code::kIo,
                fmt::format("cannot list {}: {}", (path_ / "metrics").string(), failure.message()));
  }
  return path_ / "metrics" / fmt::format("seg-{:04}.h5", next);
}

bool RunDirectory::touched(const std::string& name) const {
  std::error_code ignored;
  return fs::exists(path_ / name, ignored);
}

void RunDirectory::consume(const std::string& name) const {
  std::error_code ignored;
  fs::remove(path_ / name, ignored);
}

}  // namespace tenfold::store
