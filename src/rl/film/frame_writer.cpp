#include "rl/film/frame_writer.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

extern char** environ;

namespace tenfold::rl {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

// <.venv>/lib/python3.*/site-packages/imageio_ffmpeg/binaries/ffmpeg-*, of which there is one.
fs::path packaged_ffmpeg() {
  std::error_code error;
  const fs::path libraries = fs::path(TENFOLD_PYTHON_PROGRAM).parent_path().parent_path() / "lib";
  for (const auto& python : fs::directory_iterator(libraries, error)) {
    const fs::path folder = python.path() / "site-packages" / "imageio_ffmpeg" / "binaries";
    std::error_code missing;
    for (const auto& each : fs::directory_iterator(folder, missing)) {
      if (each.path().filename().string().starts_with("ffmpeg") && is_program(each.path())) {
        return each.path();
      }
    }
  }
  return {};
}

std::vector<std::string> encoding(const std::string& ending) {
  if (ending == ".png") return {"-frames:v", "1", "-update", "1"};
  if (ending == ".gif") return {};
  // 4:2:0 is what browsers play.
  std::vector<std::string> words{"-pix_fmt", "yuv420p"};
  if (ending == ".mp4") words.insert(words.end(), {"-movflags", "+faststart"});
  return words;
}

int start(const fs::path& program, const std::vector<std::string>& words, int input,
          const fs::path& messages) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& each : words) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions, stream, messages.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  pid_t process = -1;
  const int failure =
      posix_spawn(&process, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    throw Error(Code::kIo,
                fmt::format("cannot start {}: {}", program.string(), std::strerror(failure)));
  }
  return process;
}

}  // namespace

fs::path find_ffmpeg() {
  const char* set = std::getenv("TENFOLD_FFMPEG");
  if (set != nullptr && *set != '\0') {
    if (is_program(set)) return set;
    throw Error(Code::kUsage,
                fmt::format("TENFOLD_FFMPEG names no program: {}", base::printable(set)));
  }
  if (fs::path packaged = packaged_ffmpeg(); !packaged.empty()) return packaged;
  const char* path = std::getenv("PATH");
  for (const std::string& folder : base::split(path != nullptr ? path : "", ':')) {
    if (!folder.empty() && is_program(fs::path(folder) / "ffmpeg")) {
      return fs::path(folder) / "ffmpeg";
    }
  }
  throw Error(
      Code::kUsage,
      "films are written by ffmpeg, and there is none: not in the checkout's .venv (package "
      "imageio-ffmpeg), not on PATH",
      "Run jobs/setup, or install ffmpeg, or name one in TENFOLD_FFMPEG");
}

void check_film_name(const fs::path& path) {
  const std::string ending = path.extension().string();
  if (ending == ".mp4" || ending == ".webm" || ending == ".gif") return;
  throw Error(Code::kUsage,
              fmt::format("'{}' is no name of a film", base::printable(path.string())),
              "Let it end in .mp4, .webm or .gif");
}

FrameWriter::FrameWriter(const fs::path& ffmpeg, const fs::path& path, int width, int height,
                         double frames_per_second)
    : path_(fs::absolute(path)),
      frame_bytes_(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {
  const std::string name = path_.stem().string() + fmt::format(".partial-{}", getpid());
  partial_ = path_.parent_path() / (name + path_.extension().string());
  messages_ = path_.parent_path() / (name + ".log");
  base::make_directories(path_.parent_path());
  std::vector<std::string> words{ffmpeg.string(),
                                 "-hide_banner",
                                 "-loglevel",
                                 "error",
                                 "-y",
                                 "-f",
                                 "rawvideo",
                                 "-pixel_format",
                                 "rgb24",
                                 "-video_size",
                                 fmt::format("{}x{}", width, height),
                                 "-framerate",
                                 fmt::format("{:.6f}", frames_per_second),
                                 "-i",
                                 "pipe:0"};
  for (std::string& each : encoding(path_.extension().string())) words.push_back(std::move(each));
  // Without the prefix ffmpeg would read some names as addresses.
  words.push_back("file:" + partial_.string());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error(Code::kIo, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  pipe_ = ends[1];
  ::signal(SIGPIPE, SIG_IGN);  // an ffmpeg that ends early shows as EPIPE
  try {
    process_ = start(ffmpeg, words, ends[0], messages_);
  } catch (...) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw;
  }
  ::close(ends[0]);
}

FrameWriter::~FrameWriter() {
  wait();
  std::error_code ignored;
  fs::remove(partial_, ignored);
  fs::remove(messages_, ignored);
}

int FrameWriter::wait() {
  if (pipe_ >= 0) ::close(pipe_);
  pipe_ = -1;
  if (process_ < 0) return 0;
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return status;
}

void FrameWriter::fail(std::string_view what) {
  wait();
  std::string said;
  try {
    said = base::printable(base::read_text(messages_));
  } catch (const Error&) {
    said = "it said nothing";
  }
  throw Error(Code::kIo,
              fmt::format("{} could not be written ({}): {}", path_.string(), what, said));
}

void FrameWriter::add(std::span<const std::uint8_t> rgb) {
  base::require(rgb.size() == frame_bytes_, "FrameWriter: a frame has another size");
  for (std::size_t done = 0; done < rgb.size();) {
    const ssize_t count = ::write(pipe_, rgb.data() + done, rgb.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("ffmpeg ended early");
    done += static_cast<std::size_t>(count);
  }
}

void FrameWriter::finish() {
  const int status = wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("ffmpeg failed");
  std::error_code error;
  fs::rename(partial_, path_, error);
  if (error) fail(error.message());
}

}  // namespace tenfold::rl
