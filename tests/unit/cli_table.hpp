// A small table with one option of every type, and what parsing it gives or refuses.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/option_table.hpp"

namespace tenfold::test {

struct Targets {
  bool dry_run = false;
  bool target_nets = true;
  std::int64_t batch = 64;
  double gamma = 0.99;
  double sigma = 0.2;
  std::string reduce = "ordered";
  std::string run_dir;
  std::string note = "plain";
  std::vector<std::int64_t> widths{400, 300};
  double decay = 0.5;

  void declare(cli::OptionTable& table) {
    table.group("run", "Run");
    table.add("run.dir", &run_dir, "run directory").alias("run-dir").common().not_a_result();
    table.add("run.dry-run", &dry_run, "take one step and leave").common();
    table.add("run.note", &note, "kept with the run");
    table.group("learning", "Learning");
    table.add("learning.batch", &batch, "transitions per update")
        .range(1, 4096)
        .unit("transitions")
        .common();
    table.add("learning.gamma", &gamma, "discount per step").at_least(0).below(1);
    table.add("learning.sigma", &sigma, "scale of the noise").above(0);
    table.add("learning.target-nets", &target_nets, "bootstrap from slow copies");
    table.add("learning.widths", &widths, "hidden widths").range(1, 65536);
    table.group("parallel", "Parallel");
    table.add("parallel.decay", &decay, "of what is late")
        .range(0, 1)
        .only_with("parallel.reduce", {"fast", "fixed"});
    table.add("parallel.reduce", &reduce, "how gradients are summed")
        .choices({"fast", "ordered", "fixed"})
        .common();
    table.preset({"paper",
                  "the paper's setting",
                  {{"learning.batch", "32", "section 7"}, {"learning.gamma", "0.9", "section 3"}}});
    table.preset({"wide", "wide nets", {{"learning.widths", "1024", "ours"}}});
    table.listing("list-tasks", "list the tasks", [] { return std::string("pendulum\n"); });
    table.set_version_text("Tenfold 0.1\n");
  }
};

struct Table : cli::OptionTable {
  Table() : OptionTable("ddpg", "deep deterministic policy gradients") { targets.declare(*this); }
  Table(const Table&) = delete;  // the options point into the targets
  Table& operator=(const Table&) = delete;

  /// Parses, sets the targets and returns what was resolved.
  cli::Resolved set(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& environment = {}) {
    const cli::Outcome outcome = parse(arguments, environment);
    EXPECT_EQ(outcome.kind, cli::Outcome::Kind::kRun);
    apply(outcome.resolved);
    return outcome.resolved;
  }
  std::string text(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment = {}) const {
    const cli::Outcome outcome = parse(arguments, environment);
    EXPECT_EQ(outcome.kind, cli::Outcome::Kind::kPrintAndExit);
    return outcome.text;
  }
  /// The message and hint of the Code::kUsage error that parsing must end in.
  std::string refusal(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment = {}) const {
    try {
      parse(arguments, environment);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }

  Targets targets;
};

inline std::string origin_of(const cli::Resolved& resolved, const std::string& key) {
  for (const cli::ResolvedValue& each : resolved) {
    if (each.key == key) return each.origin;
  }
  return "no such key";
}

}  // namespace tenfold::test
