#include <cstdio>
#include <system_error>
#include <thread>

#include "base/text.hpp"
#include "tenfold/app_program.hpp"
#include "tenfold/commands.hpp"
#include "tenfold/machine_checks.hpp"
#include "tenfold/rerun_plan.hpp"

namespace tenfold::tool {

namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

/// RUN-again, RUN-again-2, ...: a folder that is not there yet.
fs::path free_folder(const fs::path& run) {
  const fs::path plain = run.has_filename() ? run : run.parent_path();
  std::error_code ignored;
  for (int number = 1;; ++number) {
    fs::path folder = plain;
    folder += number == 1 ? std::string("-again") : fmt::format("-again-{}", number);
    if (!fs::exists(folder, ignored)) return folder;
  }
}

std::map<std::string, std::string> facts_here(const fs::path& program,
                                              std::vector<std::string>* warnings) {
  const CommandResult result = run_shell(shell_word(program.string()) + " --version", 30);
  if (result.status == 0) return parse_version_text(result.output);
  warnings->push_back(fmt::format(
      "{} does not start here: version, commit and CPU were not compared", program.string()));
  return {};
}

Code run_rerun(const Arguments& arguments) {
  const fs::path path = arguments.operands.front();
  const RunOverview run = read_overview(path);
  const unsigned cores = std::thread::hardware_concurrency();
  RerunChoice choice;
  choice.program = program_beside(app_of(run.manifest));
  choice.run_dir = arguments.text("run-dir", free_folder(path).string());
  choice.every_option = arguments.has("all");
  long ranks = 0;
  try {
    ranks = std::stol(run.fact("world_size"));
  } catch (const std::exception&) {
  }
  if (ranks < 1) throw Error(Code::kData, "the manifest does not say on how many ranks it ran");
  choice.oversubscribe = ranks > static_cast<long>(cores);
  const auto words = rerun_words(run, choice);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::printf("%s%s%s\n", i == 0 ? "" : "  ", words[i].c_str(),
                i + 1 == words.size() ? "" : " \\");
  }
  std::vector<std::string> warnings;
  const auto here = facts_here(choice.program, &warnings);
  for (auto& each : rerun_warnings(run, here, cores)) warnings.push_back(std::move(each));
  std::error_code ignored;
  if (fs::exists(choice.run_dir / "manifest.h5", ignored)) {
    warnings.push_back(
        fmt::format("{} is a run: the command would go on with it", choice.run_dir.string()));
  }
  print_warnings(warnings);
  return Code::kOk;
}

}  // namespace

Command rerun_command() {
  return {{"rerun",
           "RUN",
           1,
           1,
           "print the command that repeats a run",
           "From the manifest, into a new folder: every option that was not at its default, the\n"
           "ranks and the threads. Runs nothing: `tenfold rerun RUN | sh` does. Warns, on stderr,\n"
           "of what is another here and may change results: version, commit, CPU, libraries.",
           {{"run-dir", 0, "DIR", "the new folder (RUN-again)"},
            {"all", 'a', "", "every option, those at their default too"}}},
          &run_rerun};
}

}  // namespace tenfold::tool
