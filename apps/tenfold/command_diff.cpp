#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "store/checkpoint_store.hpp"
#include "tenfold/commands.hpp"
#include "tenfold/comparison.hpp"
#include "tenfold/target.hpp"

namespace tenfold::tool {

namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

// As diff and cmp say it. A crash of ours would be 1 as well, with error[1] on stderr: in both
// cases nothing was shown to be equal.
constexpr auto kDiffer = static_cast<Code>(1);

struct Side {
  Target target;
  fs::path checkpoint;  ///< empty: none
  store::CommitRecord record;
};

fs::path checkpoint_of_step(const fs::path& run, long step) {
  for (const fs::path& each : store::list_checkpoints(run / "checkpoint")) {
    if (each.filename() == fmt::format("step-{:012}", step)) return each;
  }
  throw Error(Code::kData, fmt::format("{} has no checkpoint of step {}", run.string(), step),
              fmt::format("`tenfold show {}` lists them", run.string()));
}

/// The newest checkpoints that are of one step; the newest of each run when there is no such step.
void choose_newest(Side* a, Side* b) {
  const auto in_a = store::list_checkpoints(a->target.path / "checkpoint");
  const auto in_b = store::list_checkpoints(b->target.path / "checkpoint");
  for (const fs::path& each : in_a) {
    const auto same = std::ranges::find_if(
        in_b, [&](const fs::path& other) { return other.filename() == each.filename(); });
    if (same == in_b.end()) continue;
    a->checkpoint = each;
    b->checkpoint = *same;
    return;
  }
  if (!in_a.empty()) a->checkpoint = in_a.front();
  if (!in_b.empty()) b->checkpoint = in_b.front();
}

void choose_checkpoints(Side* a, Side* b, long step) {
  const bool runs = a->target.kind == Target::Kind::kRun && b->target.kind == Target::Kind::kRun;
  if (runs && step < 0) choose_newest(a, b);
  for (Side* side : {a, b}) {
    const bool run = side->target.kind == Target::Kind::kRun;
    if (!run) side->checkpoint = side->target.path;
    if (run && step >= 0) side->checkpoint = checkpoint_of_step(side->target.path, step);
    if (run && !runs && step < 0) side->checkpoint = newest_checkpoint(side->target.path);
    if (!side->checkpoint.empty()) side->record = store::verify_checkpoint(side->checkpoint);
  }
}

std::set<std::string> result_options(const Side& side) {
  std::set<std::string> keys;
  const auto found = side.record.metadata.find("config");
  if (found == side.record.metadata.end()) return keys;
  const nlohmann::json config = nlohmann::json::parse(found->second, nullptr, false);
  if (!config.is_object()) return keys;
  for (const auto& each : config.items()) keys.insert(each.key());
  return keys;
}

/// Prints one part; true when it counts.
bool say(const Comparison& part, const char* name, std::vector<std::string>* differing) {
  std::printf("\n%s", part.text.c_str());
  if (part.differs) differing->push_back(name);
  return part.differs;
}

void compare_runs(const Side& a, const Side& b, double tolerance,
                  std::vector<std::string>* differing) {
  const RunOverview left = read_overview(a.target.path), right = read_overview(b.target.path);
  std::set<std::string> known = result_options(a);
  known.merge(result_options(b));
  say(compare_options(left.config, right.config, known), "options", differing);
  say(compare_facts(left.manifest, right.manifest), "application", differing);
  say(compare_metrics(left.series, right.series, tolerance), "metrics", differing);
  print_warnings(left.warnings);
  print_warnings(right.warnings);
}

void compare_checkpoints(const Side& a, const Side& b, std::vector<std::string>* differing) {
  if (a.checkpoint.empty() && b.checkpoint.empty()) {
    std::printf("\nState: neither run has a checkpoint\n");
    return;
  }
  if (a.checkpoint.empty() || b.checkpoint.empty()) {
    std::printf("\nState: only %s has a checkpoint\n", a.checkpoint.empty() ? "B" : "A");
    differing->emplace_back("state");
    return;
  }
  say(compare_states(StateChain(a.checkpoint, a.record.needs),
                     StateChain(b.checkpoint, b.record.needs)),
      "state", differing);
}

Side side_of(const std::string& operand) {
  Side side{.target = find_target(operand), .checkpoint = {}, .record = {}};
  if (side.target.kind == Target::Kind::kFile) {
    throw Error(Code::kUsage, fmt::format("{} is a single file", operand),
                "diff compares runs and committed checkpoints");
  }
  return side;
}

Code run_diff(const Arguments& arguments) {
  Side a = side_of(arguments.operands[0]), b = side_of(arguments.operands[1]);
  const double tolerance = arguments.real("tolerance", 1e-9, 0, 1);
  choose_checkpoints(&a, &b, arguments.whole("step", -1, 0, 1'000'000'000'000'000'000));
  std::printf("A  %s\nB  %s\n", base::printable(a.target.path.string()).c_str(),
              base::printable(b.target.path.string()).c_str());
  std::vector<std::string> differing;
  if (a.target.kind == Target::Kind::kRun && b.target.kind == Target::Kind::kRun) {
    compare_runs(a, b, tolerance, &differing);
  }
  compare_checkpoints(a, b, &differing);
  if (differing.empty()) {
    std::printf("\nequal\n");
    return Code::kOk;
  }
  std::printf("\nthey differ: %s\n", base::join(differing, ", ").c_str());
  return kDiffer;
}

}  // namespace

Command diff_command() {
  return {
      {"diff",
       "A B",
       2,
       2,
       "how two runs, or two checkpoints, differ",
       "Compares options, version and machine, metrics at common steps, and every data set of\n"
       "the newest checkpoints of one step (max ulp: representable numbers between). Exit code\n"
       "as of diff and cmp: 0 equal, 1 different, others when it cannot be told. What counts\n"
       "are options that results depend on, metrics that are no times, and the state; another\n"
       "machine, version or number of ranks is only said.",
       {{"step", 0, "N", "checkpoints of this step"},
        {"tolerance", 0, "X", "relative difference of metrics that counts as none (1e-9)"}}},
      &run_diff};
}

}  // namespace tenfold::tool
