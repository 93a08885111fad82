// How two runs or two checkpoints differ.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/run_reader.hpp"
#include "tenfold/number_summary.hpp"
#include "tenfold/run_overview.hpp"
#include "tenfold/state_file.hpp"

namespace tenfold::tool {

/// What is printed, and whether it counts as a difference in results.
struct Comparison {
  std::string text;
  bool differs = false;
};

/// Whether results depend on an option. `known`: the options that a checkpoint of the run says they
/// depend on; without a checkpoint (empty) the library's own groups are told apart by name.
bool affects_results(const std::string& key, const std::set<std::string>& known);

/// Options whose values differ; those that affect results count.
Comparison compare_options(const std::vector<ConfigValue>& a, const std::vector<ConfigValue>& b,
                           const std::set<std::string>& known);
/// Version, libraries, machine and layout. Only another application counts: the rest explains
/// differences and makes none.
Comparison compare_facts(const std::map<std::string, std::string>& a,
                         const std::map<std::string, std::string>& b);

/// The rows that two series have in common: the k-th row of a step with the k-th row of that step.
struct SeriesComparison {
  std::uint64_t common = 0;
  std::uint64_t first_step = 0;  ///< with a difference above the tolerance
  std::uint64_t differing = 0;   ///< rows above the tolerance
  Difference values;             ///< of all common rows
};
/// tolerance: largest relative difference that counts as none (ranks are averaged in another order
/// on another number of them). Both have the same number of columns.
SeriesComparison compare_series(const store::Series& a, const store::Series& b, double tolerance);
/// Series of seconds, and those about the machine (perf/, checkpoint/), never count.
Comparison compare_metrics(const std::vector<store::Series>& a, const std::vector<store::Series>& b,
                           double tolerance);

/// Every data set, bit for bit, however it is spread over files. Rows that are not in use mean
/// nothing and are left out, and so are times of the machine (..._seconds).
Comparison compare_states(const StateChain& a, const StateChain& b);

}  // namespace tenfold::tool
