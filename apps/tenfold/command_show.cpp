#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/text.hpp"
#include "store/checkpoint_store.hpp"
#include "tenfold/commands.hpp"
#include "tenfold/run_overview.hpp"
#include "tenfold/show_trees.hpp"
#include "tenfold/show_video.hpp"
#include "tenfold/sparkline.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSparkWidth = 32;
constexpr std::size_t kEvents = 8;

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

std::string best_of(const store::Series& series, std::size_t which) {
  if (series.better.empty()) return "";
  double best = std::numeric_limits<double>::quiet_NaN();
  for (const double value : column(series, which)) {
    if (!std::isfinite(value)) continue;
    best = std::isnan(best)         ? value
           : series.better == "min" ? std::min(best, value)
                                    : std::max(best, value);
  }
  return std::isnan(best) ? "" : short_number(best);
}

/// "node1 x4, node2 x4" of one host name per rank; the first few of many.
std::string host_counts(const std::string& hosts) {
  constexpr std::size_t kShown = 4;
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const std::string& host : base::split(hosts, ',')) {
    auto found = std::find_if(counts.begin(), counts.end(),
                              [&](const auto& each) { return each.first == host; });
    if (found == counts.end()) found = counts.insert(counts.end(), {host, 0});
    ++found->second;
  }
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(kShown, counts.size()); ++i) {
    parts.push_back(counts.size() == 1 ? counts[i].first
                                       : fmt::format("{} x{}", counts[i].first, counts[i].second));
  }
  if (counts.size() > kShown) parts.push_back(fmt::format("{} more", counts.size() - kShown));
  return base::join(parts, ", ");
}

void show_facts(const RunOverview& run) {
  print(fmt::format("{} {} ({}: {})\n", base::printable(run.fact("app")),
                    base::printable(run.fact("run_id")), state_name(run.state),
                    state_meaning(run.state)));
  TextTable table({"", ""});
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) table.add({name, base::printable(value)});
  };
  add("folder", run.path.string());
  add("steps", progress_text(run));
  add("started", run.fact("started_utc"));
  add("last write", run.last_time() > 0 ? utc_text(run.last_time()) + " UTC" : "");
  add("command", run.fact("command_line"));
  add("ranks", fmt::format("{} on {}", run.fact("world_size"), host_counts(run.fact("hosts"))));
  add("shards", fmt::format("{}, reduce {}", run.fact("virtual_shards"), run.fact("reduce")));
  add("seed", run.fact("seed"));
  add("device", run.fact("device"));
  add("version", fmt::format("{} ({})", run.fact("version"), run.fact("git_commit")));
  for (const auto& [key, value] : run.manifest) {
    if (key.starts_with("dep.")) add(key.substr(4), value);
  }
  const std::string text = table.text("  ");
  print(text.substr(text.find('\n') + 1));
}

void show_config(const RunOverview& run, bool all) {
  TextTable table({"option", "value", "set by"});
  for (const ConfigValue& each : run.config) {
    if (all || each.origin != "default") {
      table.add(
          {base::printable(each.key), base::printable(each.value), base::printable(each.origin)});
    }
  }
  print(all ? "\nConfiguration\n" : "\nConfiguration (not at its default; --all shows the rest)\n");
  print(table.empty() ? "  nothing\n" : table.text("  "));
}

void show_metrics(const RunOverview& run, bool ascii) {
  TextTable table({"metric", ">last", ">best", "unit", ">rows", "course"});
  for (const store::Series& each : run.series) {
    if (each.step.empty()) continue;
    for (std::size_t which = 0; which < each.columns; ++which) {
      const auto values = column(each, which);
      const std::string name = base::printable(each.name);
      table.add(
          {each.columns > 1 ? fmt::format("{} [{} of {}]", name, which + 1, each.columns) : name,
           short_number(values.back()), best_of(each, which), base::printable(each.unit),
           std::to_string(each.step.size()), sparkline(values, kSparkWidth, ascii)});
    }
  }
  print("\nMetrics\n");
  print(table.empty() ? "  none yet\n" : table.text("  "));
}

void show_events(const RunOverview& run, bool all) {
  const std::size_t count = all ? run.events.size() : std::min(kEvents, run.events.size());
  print(count == run.events.size() ? fmt::format("\nEvents ({})\n", count)
                                   : fmt::format("\nEvents (last {} of {}; --all shows the rest)\n",
                                                 count, run.events.size()));
  TextTable table({"time (UTC)", ">step", "kind", "what"});
  for (std::size_t i = run.events.size() - count; i < run.events.size(); ++i) {
    const store::Event& each = run.events[i];
    table.add({utc_text(each.wall_s), std::to_string(each.step), base::printable(each.kind),
               base::printable(each.text)});
  }
  print(table.empty() ? "  none yet\n" : table.text("  "));
}

void show_checkpoints(const RunOverview& run) {
  const auto folders = store::list_checkpoints(run.path / "checkpoint");
  if (folders.empty()) return print("\nCheckpoints\n  none that is committed\n");
  print(fmt::format("\nCheckpoints ({}; `tenfold verify {}` checks their digests)\n",
                    folders.size(), base::printable(run.path.string())));
  for (const fs::path& folder : folders) {
    std::error_code ignored;
    const auto bytes = fs::file_size(folder / "state.h5", ignored);
    print(fmt::format(
        "  {}  {}\n", folder.filename().string(),
        ignored ? "state.h5 is missing" : base::human_bytes(static_cast<double>(bytes))));
  }
}

base::Code run_show(const Arguments& arguments) {
  const bool trees = arguments.has("tree") || arguments.has("pairs");
  if (arguments.operands.size() > 1 && !trees) {
    throw base::Error(
        base::Code::kUsage,
        fmt::format("show: '{}' is one argument too many", base::printable(arguments.operands[1])),
        "ROUND[:QUESTION] is of --tree and --pairs");
  }
  if (arguments.has("tree")) return show_trees(arguments);
  if (arguments.has("pairs")) return show_pairs(arguments);
  if (arguments.has("video")) return show_video(arguments);
  for (const char* each : {"episodes", "output"}) {
    if (!arguments.has(each)) continue;
    throw base::Error(base::Code::kUsage, fmt::format("show: --{} is of --video", each),
                      "Add --video, or leave it out");
  }
  const RunOverview run = read_overview(arguments.operands.front());
  const bool all = arguments.has("all");
  show_facts(run);
  show_config(run, all);
  show_metrics(run, arguments.has("ascii") || needs_ascii());
  show_events(run, all);
  show_checkpoints(run);
  print_warnings(run.warnings);
  return base::Code::kOk;
}

}  // namespace

Command show_command() {
  return {
      {"show",
       "RUN [PLACE]",
       1,
       2,
       "what a run is and how it goes; a film; its trees",
       "Works on running, killed and finished runs. The course of a metric is its curve over\n"
       "the rows so far, drawn between its lowest and its highest value.\n\n"
       "With --video, the policy of the newest checkpoint that is whole plays episodes of its\n"
       "task, without noise; no display is needed. Beside FILE come a sheet of pictures (.png)\n"
       "and what was played (.json); the report shows those of RUN/film.mp4.\n\n"
       "With --tree, a search tree that mcts_dpo kept, of the newest round; PLACE is another\n"
       "round, or ROUND:QUESTION with a question's number or id. With --pairs, what was learned\n"
       "from it: a JSON object a line (prompt, chosen, rejected, alpha and where it comes from),\n"
       "as TRL's trainers read. chosen_ends, rejected_ends: an end token belongs behind it.",
       {{"all", 'a', "", "all options and events"},
        {"ascii", 0, "", "courses without Unicode"},
        {"tree", 't', "", "draw a search tree; with --all those of the round"},
        {"pairs", 0, "", "preference pairs as JSON lines"},
        {"video", 0, "", "film the policy instead (ddpg, MuJoCo's tasks)"},
        {"episodes", 'n', "N", "with --video: how many (3)"},
        {"output", 'o', "FILE", "with --video: .mp4, .webm or .gif (RUN/film.mp4)"}}},
      &run_show};
}

}  // namespace tenfold::tool
