#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "tenfold/machine_checks.hpp"

namespace tenfold::tool {

namespace fs = std::filesystem;
using Kind = Finding::Kind;

namespace {

constexpr const char* kPackageList = "jobs/packages.txt";
constexpr const char* kSetup = "jobs/setup";

bool file_matches(const std::string& pattern) {
  glob_t found{};
  const bool any = ::glob(pattern.c_str(), 0, nullptr, &found) == 0 && found.gl_pathc > 0;
  ::globfree(&found);
  return any;
}

bool on_path(const std::string& command) {
  const char* path = std::getenv("PATH");
  for (const std::string& folder : base::split(path != nullptr ? path : "", ':')) {
    if (::access((fs::path(folder) / command).c_str(), X_OK) == 0) return true;
  }
  return false;
}

/// The pins of a requirements file: name -> version.
std::map<std::string, std::string> pins(const fs::path& file) {
  std::map<std::string, std::string> found;
  std::istringstream lines(base::read_text(file));
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find_first_of("#; "));
    const auto equals = line.find("==");
    if (equals != std::string::npos) found[line.substr(0, equals)] = line.substr(equals + 2);
  }
  return found;
}

/// What the environment has installed: name -> version, "" when it is missing.
std::map<std::string, std::string> installed(const fs::path& python,
                                             const std::map<std::string, std::string>& wanted) {
  std::string program = "import importlib.metadata as m\nfor n in '";
  for (const auto& [name, version] : wanted) program += name + " ";
  program +=
      "'.split():\n  try: print(n, m.version(n))\n  except m.PackageNotFoundError: print(n)\n";
  const CommandResult answer =
      run_shell(shell_word(python.string()) + " -c " + shell_word(program), 60);
  std::map<std::string, std::string> found;
  std::istringstream lines(answer.output);
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.find(' ');
    if (wanted.contains(line.substr(0, space))) {
      found[line.substr(0, space)] = space == std::string::npos ? "" : line.substr(space + 1);
    }
  }
  return found;
}

/// "2.13.0+cpu" satisfies "2.13.0".
bool satisfies(const std::string& have, const std::string& want) {
  return have == want || have.starts_with(want + "+");
}

}  // namespace

fs::path find_checkout() {
  std::error_code ignored;
  for (const fs::path& start : {base::executable_path(), fs::current_path(ignored) / "x"}) {
    for (fs::path folder = start.parent_path(); folder.has_relative_path();
         folder = folder.parent_path()) {
      if (fs::exists(folder / kPackageList, ignored)) return folder;
    }
  }
  return {};
}

std::vector<Finding> check_packages(const fs::path& checkout) {
  std::vector<Finding> findings;
  std::size_t good = 0;
  std::istringstream lines(base::read_text(checkout / kPackageList));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string package, check, purpose;
    words >> package >> check >> std::ws;
    std::getline(words, purpose);
    if (package.empty() || package.starts_with('#')) continue;
    if (check.starts_with('/') ? file_matches(check) : on_path(check)) {
      ++good;
      continue;
    }
    const bool optional = purpose.starts_with("optional:");
    findings.push_back(
        {optional ? Kind::kOptional : Kind::kMissing, package,
         fmt::format("{} not found ({})", check, purpose),
         fmt::format("apt-get install {} (or {}, which installs all)", package, kSetup)});
  }
  findings.insert(
      findings.begin(),
      {Kind::kGood, "packages", fmt::format("{} of {} found", good, good + findings.size()), ""});
  return findings;
}

std::vector<Finding> check_python(const fs::path& checkout) {
  const fs::path python = checkout / ".venv/bin/python";
  std::error_code ignored;
  if (!fs::exists(python, ignored)) {
    return {{Kind::kMissing, "Python", fmt::format("{} does not exist", python.string()),
             fmt::format("run {}", kSetup)}};
  }
  std::map<std::string, std::string> wanted;
  for (const char* name : {"requirements.txt", "jobs/requirements.txt"}) {
    if (fs::exists(checkout / name, ignored)) wanted = pins(checkout / name);
  }
  // Without a list these two still matter: the build links against their libraries.
  if (wanted.empty()) wanted = {{"torch", "2.13.0"}, {"mujoco", "4.0.0"}};
  const auto have = installed(python, wanted);
  std::vector<Finding> findings;
  std::vector<std::string> good;
  for (const auto& [name, version] : wanted) {
    const auto found = have.find(name);
    const std::string actual = found != have.end() ? found->second : "";
    if (satisfies(actual, version)) {
      good.push_back(fmt::format("{} {}", name, actual));
      continue;
    }
    findings.push_back(
        {Kind::kMissing, name,
         actual.empty() ? fmt::format("{} is not installed", name)
                        : fmt::format("version {}, wanted {}", actual, version),
         fmt::format("{} (or .venv/bin/pip install {}=={})", kSetup, name, version)});
  }
  findings.insert(findings.begin(), {Kind::kGood, "Python",
                                     good.empty() ? "an environment" : base::join(good, ", "), ""});
  return findings;
}

}  // namespace tenfold::tool
