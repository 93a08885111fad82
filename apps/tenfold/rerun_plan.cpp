#include "tenfold/rerun_plan.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"
#include "tenfold/machine_checks.hpp"

namespace tenfold::tool {

namespace {

/// As one word for the shell, bare where that is the same.
std::string word(const std::string& text) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  return !text.empty() && text.find_first_not_of(kPlain) == std::string::npos ? text
                                                                              : shell_word(text);
}

long number(const std::string& text) {
  long value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string option_words(const std::string& key, const std::string& value) {
  // A value that begins with a dash would be taken for an option.
  const bool joined = value.empty() || value.starts_with('-');
  return joined ? word("--" + key + "=" + value) : "--" + key + " " + word(value);
}

bool is_left_out(const ConfigValue& each, bool every_option) {
  static const std::set<std::string> kOfThisRun = {"run.dir", "run.stop-after", "run.dry-run"};
  if (kOfThisRun.contains(each.key) || each.key == "parallel.threads") return true;
  if (each.value.empty()) return true;
  return !every_option && each.origin == "default";
}

std::string count_of_resumes(const RunOverview& run) {
  const auto count = std::ranges::count(run.events, "resume", &store::Event::kind);
  return count == 0 ? ""
                    : fmt::format("it was resumed {} {}", count, count == 1 ? "time" : "times");
}

}  // namespace

std::vector<std::string> rerun_words(const RunOverview& run, const RerunChoice& choice) {
  const std::string ranks = run.fact("world_size");
  std::vector<std::string> words = {fmt::format("mpirun{} -n {} {}",
                                                choice.oversubscribe ? " --oversubscribe" : "",
                                                word(ranks), word(choice.program.string()))};
  for (const ConfigValue& each : run.config) {
    if (is_left_out(each, choice.every_option)) continue;
    words.push_back(option_words(each.key, each.value));
  }
  // As many as the run had, and not the share of this machine's cores: sums depend on it.
  if (!run.fact("threads").empty()) {
    words.push_back(option_words("parallel.threads", run.fact("threads")));
  }
  words.push_back(option_words("run.dir", choice.run_dir.string()));
  return words;
}

std::map<std::string, std::string> parse_version_text(const std::string& text) {
  std::map<std::string, std::string> facts;
  for (const std::string& line : base::split(text, '\n')) {
    const auto mark = line.find(" of Tenfold ");
    if (mark != std::string::npos) {
      const std::string rest = line.substr(mark + 12);
      const auto open = rest.find(" ("), close = rest.rfind(')');
      facts["version"] = rest.substr(0, open);
      if (open != std::string::npos && close != std::string::npos && close > open) {
        facts["git_commit"] = rest.substr(open + 2, close - open - 2);
      }
      continue;
    }
    const auto begin = line.find_first_not_of(' ');
    if (begin != 2) continue;
    const auto end = line.find(' ', begin);
    const auto value = end == std::string::npos ? end : line.find_first_not_of(' ', end);
    if (value == std::string::npos) continue;
    const std::string name = line.substr(begin, end - begin);
    facts[name == "cpu" ? "cpu_capability" : "dep." + name] = line.substr(value);
  }
  return facts;
}

std::vector<std::string> rerun_warnings(const RunOverview& run,
                                        const std::map<std::string, std::string>& here,
                                        unsigned cores) {
  std::vector<std::string> warnings;
  const auto compare = [&](const std::string& key, const std::string& name, const char* then) {
    const std::string was = run.fact(key);
    const auto is = here.find(key);
    if (was.empty() || is == here.end() || is->second == was) return;
    warnings.push_back(fmt::format("{} was {}, here it is {}{}", name, was, is->second, then));
  };
  compare("version", "Tenfold", ": options and defaults may be others (--all gives every option)");
  compare("git_commit", "the commit", ": the program may compute something else");
  if (run.fact("git_commit").ends_with("-dirty")) {
    warnings.emplace_back("the run's program had changes that are in no commit");
  }
  compare("cpu_capability", "the CPU's vector set",
          ": results are the same bits only where it is the same");
  for (const char* name : {"mpi", "hdf5", "kokkos", "libtorch"}) {
    compare(std::string("dep.") + name, name, "");
  }
  const long ranks = number(run.fact("world_size")), threads = number(run.fact("threads"));
  if (ranks * std::max(1L, threads) > static_cast<long>(cores)) {
    warnings.push_back(fmt::format("it had {} {} of {} {}, this machine has {} cores: slower",
                                   ranks, ranks == 1 ? "rank" : "ranks", threads,
                                   threads == 1 ? "thread" : "threads", cores));
  }
  const std::string resumes = count_of_resumes(run);
  if (!resumes.empty() && run.fact("reduce") == "fast") {
    warnings.push_back(resumes + ", with --reduce fast: on another number of ranks, other bits");
  }
  return warnings;
}

}  // namespace tenfold::tool
