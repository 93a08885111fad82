#include <cstdio>
#include <system_error>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "tenfold/commands.hpp"
#include "tenfold/run_overview.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {

namespace {

namespace fs = std::filesystem;

std::string age_text(double last_time) {
  if (last_time <= 0) return "-";
  return base::human_duration(std::max(0.0, base::wall_now() - last_time)) + " ago";
}

void add_run(const fs::path& path, TextTable* table, std::vector<std::string>* problems) {
  try {
    const RunOverview run = read_overview(path);
    const store::Series* measure = run.headline();
    const auto total = run.total_steps();
    table->add({base::printable(path.string()), base::printable(run.fact("app")),
                state_name(run.state), std::to_string(run.last_step()),
                total ? std::to_string(*total) : "-",
                measure != nullptr ? base::printable(measure->name) : "-",
                measure != nullptr ? short_number(column(*measure).back()) : "-",
                age_text(run.last_time())});
    for (const std::string& warning : run.warnings) problems->push_back(warning);
  } catch (const base::Error& error) {
    table->add({base::printable(path.string()), "?", "unreadable", "-", "-", "-", "-", "-"});
    problems->push_back(error.message());
  }
}

base::Code run_ls(const Arguments& arguments) {
  const bool named = !arguments.operands.empty();
  const fs::path root = named ? fs::path(arguments.operands.front()) : fs::path("runs");
  std::error_code ignored;
  if (named && !fs::is_directory(root, ignored)) {
    throw base::Error(base::Code::kData, fmt::format("{} is not a folder", root.string()),
                      "Name a folder that holds runs; without a name it is ./runs");
  }
  const auto runs = find_runs(root);
  if (runs.empty()) {
    std::printf("no runs below %s%s\n", base::printable(root.string()).c_str(),
                named ? "" : " (`tenfold ls DIR` looks elsewhere)");
    return base::Code::kOk;
  }
  TextTable table({"run", "app", "state", ">step", ">of", "measure", ">last", ">changed"});
  std::vector<std::string> problems;
  for (const fs::path& path : runs) add_run(path, &table, &problems);
  std::fputs(table.text().c_str(), stdout);
  print_warnings(problems);
  return base::Code::kOk;
}

}  // namespace

Command ls_command() {
  return {{"ls",
           "[DIR]",
           0,
           1,
           "list the runs below DIR (./runs)",
           "States: running (a job owns the folder), finished, stopped (with a checkpoint: the\n"
           "same command goes on), killed (ended without saying so), unknown (the newest metrics\n"
           "cannot be read), unreadable (the manifest cannot). Looks three folders deep.",
           {}},
          &run_ls};
}

}  // namespace tenfold::tool
