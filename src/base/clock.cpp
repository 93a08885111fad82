#include "base/clock.hpp"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace tenfold::base {

namespace {

double read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

double read_number(const std::filesystem::path& path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : -1;  // cgroup v2 writes "max" for no limit
}

double machine_available() {
  std::ifstream file("/proc/meminfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("MemAvailable:", 0) == 0) return 1024 * std::stod(line.substr(13));
  }
  return kUnlimited;
}

// Pages of files count as used, but are given back when memory is short.
double reclaimable(const std::filesystem::path& group, const std::string& name) {
  std::ifstream file(group / "memory.stat");
  std::string key;
  double value = 0;
  while (file >> key >> value) {
    if (key == name) return value;
  }
  return 0;
}

struct CgroupFiles {
  const char *root, *limit, *used, *cache;
};
constexpr CgroupFiles kVersion1{"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                "memory.usage_in_bytes", "total_inactive_file"};
constexpr CgroupFiles kVersion2{"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"};

// The least of a control group's own room and that of all groups around it.
double group_available(const CgroupFiles& files, const std::string& path) {
  double least = kUnlimited;
  std::filesystem::path group = files.root + path;
  for (; group.string().size() >= std::strlen(files.root); group = group.parent_path()) {
    const double limit = read_number(group / files.limit);
    const double used = read_number(group / files.used);
    if (limit < 0 || used < 0) continue;
    least = std::min(least, std::max(0.0, limit - used + reclaimable(group, files.cache)));
  }
  return least;
}

double cgroup_available() {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  double least = kUnlimited;
  while (std::getline(file, line)) {  // hierarchy:controllers:path
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controllers.empty())
      least = std::min(least, group_available(kVersion2, line.substr(second + 1)));
    if (controllers == "memory")
      least = std::min(least, group_available(kVersion1, line.substr(second + 1)));
  }
  return least;
}

}  // namespace

double wall_now() {
  return read_clock(CLOCK_REALTIME);
}
double monotonic_now() {
  return read_clock(CLOCK_MONOTONIC);
}
double cpu_now() {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

double peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

double available_memory_bytes() {
  return std::min(machine_available(), cgroup_available());
}

}  // namespace tenfold::base
