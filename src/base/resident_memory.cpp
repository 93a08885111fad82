#include "base/resident_memory.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include "base/clock.hpp"

namespace tenfold::base {

ResidentMemory resident_memory() {
  ResidentMemory memory;
  std::ifstream status("/proc/self/status");
  std::string name, rest;
  while (status >> name) {
    double* const into = name == "RssFile:"                          ? &memory.files
                         : name == "RssAnon:" || name == "RssShmem:" ? &memory.own
                                                                     : nullptr;
    double kibibytes = 0;
    if (into != nullptr && status >> kibibytes) *into += 1024 * kibibytes;
    std::getline(status, rest);
  }
  return memory;
}

double peak_growth_bytes(const ResidentMemory& before) {
  return std::max(0.0, peak_resident_bytes() - resident_memory().files - before.own);
}

}  // namespace tenfold::base
