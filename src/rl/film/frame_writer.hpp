// Pictures to a film, or to one picture file, by an ffmpeg of its own process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace tenfold::rl {

/// The program that $TENFOLD_FFMPEG names, else that of the checkout's Python package
/// imageio-ffmpeg, else ffmpeg on PATH. Throws Code::kUsage saying where it looked and what to
/// install.
std::filesystem::path find_ffmpeg();

/// Throws Code::kUsage unless path ends in .mp4, .webm or .gif.
void check_film_name(const std::filesystem::path& path);

class FrameWriter {
 public:
  /// The kind of file is by its ending: .mp4, .webm, .gif; .png takes one picture. Written beside
  /// and renamed by finish(). Throws Code::kIo.
  FrameWriter(const std::filesystem::path& ffmpeg, const std::filesystem::path& path, int width,
              int height, double frames_per_second);
  ~FrameWriter();  ///< without finish(): nothing is left behind
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  /// rgb: [height, width, 3], top row first. Throws Code::kIo with ffmpeg's own words.
  void add(std::span<const std::uint8_t> rgb);
  void finish();

 private:
  [[noreturn]] void fail(std::string_view what);
  int wait();

  std::filesystem::path path_, partial_, messages_;
  std::size_t frame_bytes_;
  int pipe_ = -1;
  int process_ = -1;
};

}  // namespace tenfold::rl
