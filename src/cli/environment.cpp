#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/sources.hpp"

namespace tenfold::cli {

namespace {

// Read by base, comm, the sbatch templates and the tests; never options.
constexpr std::array<std::string_view, 9> kNotOptions{
    "TENFOLD_FAULT",       "TENFOLD_DEADLINE",  "TENFOLD_DATA_DIR",
    "TENFOLD_MAX_REQUEUE", "TENFOLD_FFMPEG",    "TENFOLD_PYTHON",
    "TENFOLD_BIN_DIR",     "TENFOLD_SLURM_DIR", "TENFOLD_LAUNCHER"};

std::string variable_of(const std::string& key) {
  std::string name = "TENFOLD_";
  for (const char c : key) {
    if (c == '.') {
      name += "__";
    } else {
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' ? '_' : c;
    }
  }
  return name;
}

}  // namespace

std::vector<ResolvedValue> read_environment(const std::vector<std::string>& environment,
                                            const Names& names) {
  std::vector<std::string> variables;
  for (const std::string& key : names.keys()) variables.push_back(variable_of(key));
  std::vector<ResolvedValue> said;
  for (const std::string& entry : environment) {
    const std::size_t equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    if (name.rfind("TENFOLD_", 0) != 0) continue;
    if (std::find(kNotOptions.begin(), kNotOptions.end(), name) != kNotOptions.end()) continue;
    const auto found = std::find(variables.begin(), variables.end(), name);
    if (found == variables.end()) {
      std::vector<std::string> known = variables;
      known.insert(known.end(), kNotOptions.begin(), kNotOptions.end());
      refuse(fmt::format("unknown environment variable {}", shown(name)), suggestion(name, known));
    }
    const auto index = static_cast<std::size_t>(found - variables.begin());
    said.push_back({names.keys()[index], equals == entry.npos ? "" : entry.substr(equals + 1),
                    "environment " + name});
  }
  return said;
}

}  // namespace tenfold::cli
