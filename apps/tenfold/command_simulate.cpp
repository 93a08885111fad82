#include <cstdio>

#include "base/text.hpp"
#include "tenfold/commands.hpp"
#include "tenfold/language_model_table.hpp"
#include "tenfold/scaling_model.hpp"
#include "tenfold/simulate_input.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {

namespace {

using base::Code;
using base::Error;

constexpr Algorithm kSums[] = {Algorithm::kRing, Algorithm::kRabenseifner,
                               Algorithm::kRecursiveDoubling, Algorithm::kTwoLevel,
                               Algorithm::kOrdered};

struct Plan {
  Network net;
  Workload work;
  std::vector<std::uint64_t> ranks;
  std::string source;
  bool mixed = false;
  bool ordered = false;  ///< the step's sum is that of --reduce ordered, whatever is fastest
};

std::string milliseconds(double seconds) {
  // 1.23e+03 is harder to compare than 1234.
  return fmt::format(fmt::runtime(1e3 * seconds < 999.5 ? "{:.3g}" : "{:.0f}"), 1e3 * seconds);
}

Plan read_plan(const Arguments& arguments) {
  Plan plan;
  parse_net(arguments.text("net", "5us,40GB/s"), &plan.net);
  if (arguments.has("node")) parse_node(arguments.text("node", ""), &plan.net);
  plan.ranks = parse_ranks(arguments.text("ranks", "1..4096"));
  plan.mixed = arguments.has("mixed");
  ModelSize model;
  const int sources = (arguments.has("parameters") ? 1 : 0) + (arguments.has("model") ? 1 : 0) +
                      (arguments.has("from") ? 1 : 0);
  if (sources != 1) {
    throw Error(Code::kUsage, "simulate: give one of --parameters, --model and --from",
                "See `tenfold simulate --help`");
  }
  if (arguments.has("from")) {
    const MeasuredRun run =
        read_measured(arguments.text("from", ""), arguments.real("quantile", 0.5, 0, 1));
    model = run.model;
    plan.work.step_seconds = run.update_seconds;
    plan.work.shards_per_rank = run.shards_per_rank;
    plan.ordered = run.ordered;
  } else if (arguments.has("model")) {
    model = read_model(arguments.text("model", ""));
  } else {
    model.parameters = {arguments.real("parameters", 0, 1, 1e15)};
  }
  if (arguments.has("step")) {
    plan.work.step_seconds = parse_seconds("step", arguments.text("step", ""));
  }
  plan.work.shards_per_rank = arguments.real("shards", plan.work.shards_per_rank, 1, 65536);
  plan.work.syncs = arguments.real("syncs", 0, 0, 1e6);
  plan.ordered = plan.ordered || arguments.has("ordered");
  const double bytes = plan.mixed ? 2 : 4;
  for (const double each : model.parameters) plan.work.messages.push_back(bytes * each);
  plan.work.parameters = model.total();
  plan.source = model.source;
  return plan;
}

Algorithm chosen(const Plan& plan, std::uint64_t ranks) {
  return plan.ordered ? Algorithm::kOrdered : fastest(plan.net, plan.work, ranks);
}

void print_assumptions(const Plan& plan) {
  const Network& net = plan.net;
  std::printf("%s parameters in %zu %s%s%s\n", base::human_count(plan.work.parameters).c_str(),
              plan.work.messages.size(), plan.work.messages.size() == 1 ? "gradient" : "gradients",
              plan.source.empty() ? "" : " of ", base::printable(plan.source).c_str());
  std::printf("network: %.3g us, %s/s", 1e6 * net.between.latency,
              base::human_bytes(1 / net.between.seconds_per_byte).c_str());
  if (net.seconds_per_reduced > 0) {
    std::printf(", adds %s/s", base::human_bytes(1 / net.seconds_per_reduced).c_str());
  }
  if (net.ranks_per_node > 1) {
    std::printf("; nodes of %llu ranks: %.3g us, %s/s",
                static_cast<unsigned long long>(net.ranks_per_node), 1e6 * net.inside.latency,
                base::human_bytes(1 / net.inside.seconds_per_byte).c_str());
  }
  std::printf("\n");
}

void print_sums(const Plan& plan) {
  std::vector<std::string> head = {">ranks"};
  for (const Algorithm each : kSums) head.push_back(">" + algorithm_name(each));
  head.insert(head.end(), {">sent", ">ordered"});
  TextTable table(head);
  double all = 0;
  for (const double each : plan.work.messages) all += each;
  for (const std::uint64_t ranks : plan.ranks) {
    std::vector<std::string> row = {std::to_string(ranks)};
    for (const Algorithm each : kSums) {
      row.push_back(milliseconds(communication_seconds(each, plan.net, plan.work, ranks)));
    }
    row.push_back(base::human_bytes(ring_bytes(all, ranks)));
    row.push_back(base::human_bytes(ordered_bytes(all, ranks, plan.work.shards_per_rank)));
    table.add(row);
  }
  std::printf(
      "\nSum of the gradients, ms (ZeRO-1: as ring), and bytes that a rank sends\n"
      "(by a ring, and ordered)\n%s",
      table.text("  ").c_str());
}

void print_steps(const Plan& plan) {
  TextTable table(
      {">ranks", "sum by", ">step ms", ">efficiency", ">speed-up", ">memory", ">zero1"});
  for (const std::uint64_t ranks : plan.ranks) {
    const Algorithm best = chosen(plan, ranks);
    const double step =
        plan.work.step_seconds + communication_seconds(best, plan.net, plan.work, ranks);
    const double efficiency = step > 0 ? plan.work.step_seconds / step : 0;
    const bool timed = plan.work.step_seconds > 0;
    table.add({std::to_string(ranks), ranks == 1 ? "-" : algorithm_name(best), milliseconds(step),
               timed ? fmt::format("{:.1f}%", 100 * efficiency) : "-",
               timed ? fmt::format("{:.1f}", efficiency * static_cast<double>(ranks)) : "-",
               base::human_bytes(replicated_memory(plan.work.parameters)),
               base::human_bytes(zero1_memory(plan.work.parameters, ranks, plan.mixed))});
  }
  std::printf(
      "\nA step with the same work on every rank (%s ms of computing, nothing hidden\n"
      "behind it), and bytes of parameters, gradients and Adam's state on a rank\n%s",
      milliseconds(plan.work.step_seconds).c_str(), table.text("  ").c_str());
}

void print_csv(const Plan& plan) {
  std::printf("ranks");
  for (const Algorithm each : kSums) std::printf(",%s_seconds", algorithm_name(each).c_str());
  std::printf(",zero1_seconds,step_seconds,step_sum,memory_bytes,zero1_memory_bytes\n");
  for (const std::uint64_t ranks : plan.ranks) {
    std::printf("%llu", static_cast<unsigned long long>(ranks));
    for (const Algorithm each : kSums) {
      std::printf(",%.9g", communication_seconds(each, plan.net, plan.work, ranks));
    }
    const Algorithm best = chosen(plan, ranks);
    std::printf(",%.9g,%.9g,%s,%.0f,%.0f\n",
                communication_seconds(Algorithm::kZero1, plan.net, plan.work, ranks),
                plan.work.step_seconds + communication_seconds(best, plan.net, plan.work, ranks),
                algorithm_name(best).c_str(), replicated_memory(plan.work.parameters),
                zero1_memory(plan.work.parameters, ranks, plan.mixed));
  }
}

void print_checkpoints(const Arguments& arguments) {
  const double stall = parse_seconds("stall", arguments.text("stall", "30s"));
  const double mtbf = parse_seconds("mtbf", arguments.text("mtbf", "6h"));
  if (stall <= 0 || mtbf <= 0) throw Error(Code::kUsage, "--stall and --mtbf are above 0");
  const double interval = checkpoint_interval(stall, mtbf);
  std::printf(
      "\nCheckpoints that cost %.3g s, failures every %s:\n"
      "one every %s, %.1f%% of the time lost\n",
      stall, base::human_duration(mtbf).c_str(), base::human_duration(interval).c_str(),
      100 * lost_share(stall, mtbf, interval));
}

Code run_simulate(const Arguments& arguments) {
  if (arguments.has("language-model")) {
    std::printf("%s", language_model_text(arguments).c_str());
    return Code::kOk;
  }
  const Plan plan = read_plan(arguments);
  if (arguments.has("csv")) {
    print_csv(plan);
    return Code::kOk;
  }
  print_assumptions(plan);
  print_sums(plan);
  print_steps(plan);
  print_checkpoints(arguments);
  return Code::kOk;
}

}  // namespace

Command simulate_command() {
  return {
      {"simulate",
       "",
       0,
       0,
       "what more ranks would cost: time, bytes, memory",
       "Closed forms for a model of --parameters, --model or --from, Adam, float32. The model is\n"
       "a table with lines NAME,400x17, a checkpoint, or a run. --from takes a run on one rank:\n"
       "its model, shards, --reduce and the median of perf/update_seconds. Work per rank stays\n"
       "the same (weak scaling); nothing is hidden behind computing. `bench_network` measures\n"
       "ALPHA and BETA. doubling: recursive doubling; ordered: --reduce ordered; 2-level: inside\n"
       "of nodes first.\n"
       "--language-model: what mcts_dpo takes with a model of that config.json instead: memory\n"
       "of a rank, hours of searching and learning.",
       {{"parameters", 'p', "N", "how many (7e9)"},
        {"model", 'm', "PATH", "table, checkpoint or run that says how many"},
        {"from", 'f', "RUN", "a measured run on one rank"},
        {"quantile", 0, "Q", "of its updates' times; low where others use the machine (0.5)"},
        {"net", 0, "A,B[,G]", "latency, rate, rate of adding (5us,40GB/s)"},
        {"node", 0, "RANKS,A,B", "ranks of a node and the network inside it"},
        {"ranks", 'n', "LIST", "1..4096 or 1,2,6"},
        {"step", 0, "TIME", "computing of a step on one rank (20ms)"},
        {"shards", 0, "N", "virtual shards per rank, for ordered (8)"},
        {"ordered", 0, "", "the step sums in order, whatever is fastest"},
        {"syncs", 0, "N", "sums of a few numbers per step (0)"},
        {"mixed", 0, "", "16-bit parameters and gradients"},
        {"stall", 0, "TIME", "for which a checkpoint holds the run up (30s)"},
        {"mtbf", 0, "TIME", "between failures of the job (6h)"},
        {"csv", 0, "", "the table for programs: seconds and bytes, all digits"},
        {"language-model", 'l', "PATH", "config.json, or the folder that has it"},
        {"lora-rank", 0, "N", "of adapters that learn in place of the model (0)"},
        {"zero1", 0, "", "--zero 1: parts of Adam's state on each rank"},
        {"recompute", 0, "", "activations are computed again in the backward pass"},
        {"learn-type", 0, "TYPE", "float32 or bfloat16, that learning computes in (float32)"},
        {"decode-type", 0, "TYPE", "of the decoder's copy (float32)"},
        {"decay", 0, "", "weight decay, which keeps a number for every parameter"},
        {"cache", 0, "GB", "of keys and values on a rank (20)"},
        {"forward", 0, "N", "tokens of the largest pass that is learned from (8192)"},
        {"row", 0, "N", "of them that lie in one row (512)"},
        {"questions", 0, "N", "of the whole run (7500)"},
        {"children", 0, "N", "steps sampled in a tree (100)"},
        {"step-tokens", 0, "N", "of a sampled step (60)"},
        {"tree-tokens", 0, "N", "that are learned from in a tree (1500)"},
        {"decode-rate", 0, "N", "tokens that a rank samples in a second (5000)"},
        {"flops", 0, "N", "operations in a second that learning reaches on a rank (1.2e14)"}}},
      &run_simulate};
}

}  // namespace tenfold::tool
