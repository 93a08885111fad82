#include "tenfold/machine_checks.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "store/manifest.hpp"

namespace tenfold::tool {

namespace fs = std::filesystem;
using Kind = Finding::Kind;

namespace {

constexpr std::size_t kLongestOutput = 1U << 20;
// Open MPI keeps its queues between ranks of a node here: a few MiB per rank.
constexpr std::uint64_t kSharedMemoryBytes = 64U << 20;

std::string first_line(const std::string& text) {
  return base::printable(text.substr(0, text.find('\n')));
}

bool loads(const char* library) {
  void* handle = ::dlopen(library, RTLD_LAZY | RTLD_LOCAL);
  if (handle != nullptr) ::dlclose(handle);
  return handle != nullptr;
}

/// Extensions that EGL offers without a display: how pictures are drawn with neither X nor a GPU.
std::string egl_extensions() {
  void* handle = ::dlopen("libEGL.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (handle == nullptr) return "";
  using QueryString = const char* (*)(void*, int);
  constexpr int kEglExtensions = 0x3055;
  const auto query = reinterpret_cast<QueryString>(::dlsym(handle, "eglQueryString"));
  const char* text = query != nullptr ? query(nullptr, kEglExtensions) : nullptr;
  return text != nullptr ? text : "";
}

}  // namespace

CommandResult run_shell(const std::string& command, int limit_s) {
  CommandResult result;
  const std::string line =
      fmt::format("timeout {} sh -c {} 2>&1 </dev/null", limit_s, shell_word(command));
  std::FILE* pipe = ::popen(line.c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    if (result.output.size() < kLongestOutput) result.output.append(buffer.data(), count);
  }
  const int status = ::pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

Finding check_mpi() {
  const CommandResult version = run_shell("mpirun --version", 20);
  if (version.status != 0) {
    return {Kind::kMissing, "MPI", "mpirun does not run: " + first_line(version.output),
            "apt-get install openmpi-bin, or load your cluster's MPI module"};
  }
  // Open MPI refuses root unless told so; the suite's own jobs set the same two variables.
  const bool open_mpi = version.output.find("Open MPI") != std::string::npos;
  const std::string start = open_mpi ? "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "
                                       "mpirun --oversubscribe --bind-to none -n 2 true"
                                     : "mpirun -n 2 true";
  const CommandResult trial = run_shell(start, 30);
  if (trial.status != 0) {
    return {
        Kind::kMissing, "MPI",
        fmt::format("`mpirun -n 2 true` fails with {}: {}", trial.status, first_line(trial.output)),
        trial.status == 124 ? "Check that this host can reach itself by name (/etc/hosts)"
                            : "Read its message above; on a cluster try srun"};
  }
  return {Kind::kGood, "MPI", first_line(version.output) + "; starts 2 ranks", ""};
}

Finding check_hdf5() {
  const std::string text = store::hdf5_description();
  if (text.find("parallel") == std::string::npos) {
    return {
        Kind::kMissing, "HDF5", text + ": built without MPI",
        "apt-get install libhdf5-openmpi-dev, or set HDF5_ROOT to a parallel HDF5, and build anew"};
  }
  return {Kind::kGood, "HDF5", text, ""};
}

Finding check_rendering() {
  const std::string extensions = egl_extensions();
  if (extensions.find("EGL_MESA_platform_surfaceless") != std::string::npos ||
      extensions.find("EGL_EXT_platform_device") != std::string::npos) {
    return {Kind::kGood, "rendering", "EGL without a display", ""};
  }
  if (loads("libOSMesa.so.8")) {
    return {Kind::kOptional, "rendering", "OSMesa only (slow; no EGL without a display)",
            "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri"};
  }
  return {Kind::kOptional, "rendering", "neither EGL nor OSMesa: no pixel observations",
          "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri"};
}

Finding check_shared_memory() {
  const std::string where = "/dev/shm";
  try {
    const std::uint64_t free = base::free_bytes(where);
    const std::string text = base::human_bytes(static_cast<double>(free)) + " free in " + where;
    if (free >= kSharedMemoryBytes) return {Kind::kGood, "shared memory", text, ""};
    return {Kind::kMissing, "shared memory", text + ": MPI ranks of one node talk through it",
            "In a container: --shm-size=1g; else remove old files there"};
  } catch (const base::Error& error) {
    return {Kind::kMissing, "shared memory", error.message(), "Mount a tmpfs at /dev/shm"};
  }
}

Finding check_locks() {
  const fs::path path = fmt::format(".tenfold-doctor-{}", ::getpid());
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return {Kind::kOptional, "file locks", "this folder cannot be written: not tried",
            "Run from the folder where runs shall go"};
  }
  const bool works = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
  ::close(descriptor);
  ::unlink(path.c_str());
  if (works) return {Kind::kGood, "file locks", "work in this folder", ""};
  return {Kind::kOptional, "file locks", "do not work in this folder: two jobs could share a run",
          "Put runs on another file system with --run-dir, or make sure that one job uses each"};
}

Finding check_cores() {
  return {Kind::kGood, "machine",
          fmt::format("{} cores, {} of memory available", std::thread::hardware_concurrency(),
                      base::human_bytes(base::available_memory_bytes())),
          ""};
}

}  // namespace tenfold::tool
