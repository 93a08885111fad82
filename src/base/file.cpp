#include "base/file.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::base {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(std::string_view what, const fs::path& path, int error) {
  throw Error(Code::kIo, fmt::format("{} {}: {}", what, path.string(), std::strerror(error)));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void write_all(int fd, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string read_text(const fs::path& path, std::size_t max_bytes) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) fail("cannot read", path, ENOENT);
  if (error) fail("cannot read", path, error.value());
  if (!fs::is_regular_file(status)) {
    throw Error(Code::kIo, fmt::format("cannot read {}: not a regular file", path.string()));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot read", path, errno);
  // In pieces: the sizes that /proc and some network file systems report are not the truth.
  std::string text;
  std::array<char, 1U << 16> piece{};
  while (file && text.size() <= max_bytes) {
    file.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) fail("cannot read", path, EIO);
  if (text.size() > max_bytes) {
    throw Error(Code::kIo, fmt::format("cannot read {}: larger than {}", path.string(),
                                       human_bytes(static_cast<double>(max_bytes))));
  }
  return text;
}

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += ".tmp";
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot write", temporary_, errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  write_all(descriptor_, bytes, temporary_);
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail("cannot write", temporary_, errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot write", temporary_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot write", path_, errno);
  temporary_.clear();
  sync_path(path_.has_parent_path() ? path_.parent_path() : fs::path("."));
}

void write_atomic(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

void sync_path(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail("cannot open for syncing", path, errno);
  // Some file systems cannot sync folders; they say EINVAL and keep the promise by other means.
  if (::fsync(file.get()) != 0 && errno != EINVAL) fail("cannot sync", path, errno);
}

void make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail("cannot create the folder", path, error.value());
  if (!fs::is_directory(path, error)) fail("cannot create the folder", path, ENOTDIR);
}

std::uint64_t free_bytes(const fs::path& path) {
  struct statvfs facts {};
  if (::statvfs(path.c_str(), &facts) != 0) fail("cannot ask for free space at", path, errno);
  return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

fs::path executable_path() {
  return fs::read_symlink("/proc/self/exe");
}

fs::path data_file(std::string_view relative) {
  std::vector<fs::path> folders;
  if (const char* set = std::getenv("TENFOLD_DATA_DIR"); set != nullptr && *set != '\0') {
    folders.emplace_back(set);
  }
  const fs::path program = executable_path().parent_path();
  for (fs::path above = program; above != above.root_path(); above = above.parent_path()) {
    folders.push_back(above / "data");
  }
  folders.push_back(program.parent_path() / "share" / "tenfold" / "data");
  std::vector<std::string> looked;
  std::error_code ignored;
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / relative, ignored)) return folder / relative;
    looked.push_back(folder.string());
  }
  throw Error(Code::kData, fmt::format("no {} in {}", relative, join(looked, ", ")),
              "Set TENFOLD_DATA_DIR to the suite's data folder");
}

}  // namespace tenfold::base
