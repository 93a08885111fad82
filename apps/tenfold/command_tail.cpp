#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "tenfold/commands.hpp"
#include "tenfold/run_overview.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {

namespace {

struct Line {
  double wall_s = 0;
  std::uint64_t step = 0;
  std::string text;
};

/// How many rows and events were printed of each name, step and time, so that following prints each
/// once: rows that are written together may share all three.
using Seen = std::map<std::tuple<std::string, std::uint64_t, double>, std::size_t>;

/// Rows of one step and one group (the name up to the first '/') share a line.
struct Group {
  double wall_s = 0;
  std::map<std::string, std::pair<double, std::size_t>> values;  ///< last value, number of rows
};

/// Whether this row, met again in `now`, is one more than were seen before.
bool is_new(Seen::key_type key, const Seen& before, Seen* now) {
  const auto found = before.find(key);
  return ++(*now)[std::move(key)] > (found == before.end() ? 0 : found->second);
}

void add_metrics(const RunOverview& run, const Seen& before, Seen* now, std::vector<Line>* lines) {
  std::map<std::pair<std::uint64_t, std::string>, Group> groups;
  for (const store::Series& each : run.series) {
    const auto slash = each.name.find('/');
    for (std::size_t row = 0; row < each.step.size(); ++row) {
      if (!is_new({each.name, each.step[row], each.wall_s[row]}, before, now)) continue;
      Group& group = groups[{each.step[row], each.name.substr(0, slash)}];
      group.wall_s = std::max(group.wall_s, each.wall_s[row]);
      auto& [value, rows] =
          group.values[slash == std::string::npos ? each.name : each.name.substr(slash + 1)];
      value = each.value[row * each.columns];
      ++rows;
    }
  }
  for (const auto& [key, group] : groups) {
    std::string text = fmt::format("{:<10}", base::printable(key.second));
    for (const auto& [raw, value] : group.values) {
      const std::string name = base::printable(raw);
      text += value.second == 1 ? fmt::format("  {} {}", name, short_number(value.first))
                                : fmt::format("  {} ({} rows)", name, value.second);
    }
    lines->push_back({group.wall_s, key.first, text});
  }
}

std::vector<Line> new_lines(const RunOverview& run, Seen* seen) {
  std::vector<Line> lines;
  const Seen before = std::exchange(*seen, {});
  add_metrics(run, before, seen, &lines);
  for (const store::Event& each : run.events) {
    if (!is_new({"event " + each.kind + " " + each.text, each.step, each.wall_s}, before, seen)) {
      continue;
    }
    lines.push_back(
        {each.wall_s, each.step,
         fmt::format("{:<10}  {}", base::printable(each.kind), base::printable(each.text))});
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const Line& a, const Line& b) { return a.wall_s < b.wall_s; });
  return lines;
}

void print_last(const std::vector<Line>& lines, std::size_t count) {
  for (std::size_t i = lines.size() - std::min(count, lines.size()); i < lines.size(); ++i) {
    std::printf("%s  %10s  %s\n", utc_text(lines[i].wall_s).c_str(),
                std::to_string(lines[i].step).c_str(), lines[i].text.c_str());
  }
  std::fflush(stdout);
}

base::Code run_tail(const Arguments& arguments) {
  const auto count = static_cast<std::size_t>(arguments.whole("lines", 20, 0, 1'000'000));
  const auto pause = std::chrono::milliseconds(1000 * arguments.whole("every", 2, 1, 3600));
  RunOverview run = read_overview(arguments.operands.front());
  print_warnings(run.warnings);
  Seen seen;
  print_last(new_lines(run, &seen), count);
  if (!arguments.has("follow")) return base::Code::kOk;
  while (run.state == RunState::kRunning) {
    std::this_thread::sleep_for(pause);
    run = read_overview(run.path);
    print_last(new_lines(run, &seen), SIZE_MAX);
  }
  std::printf("not running: %s, %s\n", state_name(run.state).c_str(),
              state_meaning(run.state).c_str());
  return base::Code::kOk;
}

}  // namespace

Command tail_command() {
  return {{"tail",
           "RUN",
           1,
           1,
           "the last events and metrics of a run",
           "Metrics of one step and group share a line. Following ends when the run does.",
           {{"lines", 'n', "N", "how many lines (20)"},
            {"follow", 'f', "", "go on with what is written, until the run ends"},
            {"every", 0, "SECONDS", "how often to look when following (2)"}}},
          &run_tail};
}

}  // namespace tenfold::tool
