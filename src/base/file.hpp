// Files that are either wholly there or not at all, and where things lie on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tenfold::base {

/// Reads a regular file of at most max_bytes. Throws Code::kIo naming the path and the reason
/// (missing, a directory, too large, cannot be read).
std::string read_text(const std::filesystem::path& path, std::size_t max_bytes = 16U << 20);

/// A file that is written piece by piece to path.tmp and takes its name only when it is whole. One
/// that is destroyed without commit() leaves nothing. All throw Code::kIo.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  /// fsyncs the file, renames it to path and fsyncs the folder.
  void commit();

 private:
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

/// Writes path.tmp, fsyncs it, renames it to path and fsyncs the folder. Throws Code::kIo; on
/// failure the old file, if any, is untouched.
void write_atomic(const std::filesystem::path& path, std::string_view text);

/// fsync of a file or a folder. Throws Code::kIo.
void sync_path(const std::filesystem::path& path);

/// Creates a folder and its parents; Code::kIo with the reason and the path when it cannot.
void make_directories(const std::filesystem::path& path);

/// Bytes that this user may still write in path's file system. Throws Code::kIo.
std::uint64_t free_bytes(const std::filesystem::path& path);

/// The running program's own file.
std::filesystem::path executable_path();

/// A file of the suite's data folder, e.g. data_file("mjcf/cartpole.xml"). Looks in
/// $TENFOLD_DATA_DIR, then in data/ of each folder above the program (the checkout), then in
/// ../share/tenfold/data (an installed tree). Throws Code::kData listing where it looked.
std::filesystem::path data_file(std::string_view relative);

}  // namespace tenfold::base
