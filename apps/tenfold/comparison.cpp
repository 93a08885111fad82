#include "tenfold/comparison.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {

namespace {

std::string shown(const std::string& value) {
  constexpr std::size_t kLongest = 48;
  const std::string text = base::printable(value);
  if (text.empty()) return "(none)";
  return text.size() > kLongest ? text.substr(0, kLongest - 3) + "..." : text;
}

std::map<std::string, std::string> by_key(const std::vector<ConfigValue>& config) {
  std::map<std::string, std::string> values;
  for (const ConfigValue& each : config) values[each.key] = each.value;
  return values;
}

std::set<std::string> all_keys(const std::map<std::string, std::string>& a,
                               const std::map<std::string, std::string>& b) {
  std::set<std::string> keys;
  for (const auto& each : a) keys.insert(each.first);
  for (const auto& each : b) keys.insert(each.first);
  return keys;
}

std::string value_of(const std::map<std::string, std::string>& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? "(absent)" : shown(found->second);
}

std::string few(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) {
    parts.push_back(base::printable(names[i]));
  }
  if (names.size() > kShown) parts.push_back(fmt::format("{} more", names.size() - kShown));
  return base::join(parts, ", ");
}

/// Row numbers by (step, how many rows of that step came before).
std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> rows_by_step(
    const store::Series& series) {
  std::map<std::uint64_t, std::uint64_t> seen;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> rows;
  for (std::size_t row = 0; row < series.step.size(); ++row) {
    rows[{series.step[row], seen[series.step[row]]++}] = row;
  }
  return rows;
}

bool of_the_machine(const store::Series& series) {
  return series.unit == "s" || series.name.starts_with("perf/") ||
         series.name.starts_with("checkpoint/");
}

bool of_the_machine(const StoredTensor& tensor) {
  return tensor.name.ends_with("_seconds");
}

std::string ulp_text(const StoredTensor& tensor, const Difference& difference) {
  const bool real =
      tensor.dtype == store::Dtype::kFloat32 || tensor.dtype == store::Dtype::kFloat64;
  if (!real) return "-";
  return difference.max_ulp == UINT64_MAX ? "NaN" : std::to_string(difference.max_ulp);
}

Difference difference_of(const StateChain& a, const StoredTensor& in_a, const StateChain& b,
                         const StoredTensor& in_b) {
  Difference difference;
  for (std::size_t entry = 0; entry < in_a.rows.size(); ++entry) {
    const auto left = a.read(in_a, entry);
    const auto right = b.read(in_b, entry);
    visit_values(in_a.dtype, left, [&](auto values) {
      using T = typename decltype(values)::value_type;
      difference.add(values, std::span<const T>(reinterpret_cast<const T*>(right.data()),
                                                right.size() / sizeof(T)));
    });
  }
  return difference;
}

}  // namespace

bool affects_results(const std::string& key, const std::set<std::string>& known) {
  if (!known.empty()) return known.contains(key);
  if (key == "run.seed") return true;
  return std::ranges::none_of(std::vector<std::string>{"run.", "checkpoint.", "metrics.", "debug."},
                              [&](const std::string& group) { return key.starts_with(group); });
}

Comparison compare_options(const std::vector<ConfigValue>& a, const std::vector<ConfigValue>& b,
                           const std::set<std::string>& known) {
  const auto in_a = by_key(a), in_b = by_key(b);
  Comparison result;
  TextTable table({"option", "A", "B", ""});
  std::size_t same = 0;
  for (const std::string& key : all_keys(in_a, in_b)) {
    const std::string left = value_of(in_a, key), right = value_of(in_b, key);
    if (in_a.contains(key) && in_b.contains(key) && in_a.at(key) == in_b.at(key)) {
      ++same;
      continue;
    }
    const bool counts = affects_results(key, known);
    result.differs |= counts;
    table.add({base::printable(key), left, right, counts ? "<- results depend on it" : ""});
  }
  result.text = fmt::format("Options: {} equal{}\n", same, table.empty() ? "" : ", these are not");
  if (!table.empty()) result.text += table.text("  ");
  return result;
}

Comparison compare_facts(const std::map<std::string, std::string>& a,
                         const std::map<std::string, std::string>& b) {
  // What is the same as an option, says when, or repeats the others.
  static const std::set<std::string> kLeftOut = {"config",         "command_line", "run_id",
                                                 "started_utc",    "app_summary",  "paper",
                                                 "virtual_shards", "seed",         "reduce"};
  Comparison result;
  TextTable table({"fact", "A", "B"});
  for (const std::string& key : all_keys(a, b)) {
    if (kLeftOut.contains(key)) continue;
    if (a.contains(key) && b.contains(key) && a.at(key) == b.at(key)) continue;
    table.add({base::printable(key), value_of(a, key), value_of(b, key)});
    result.differs |= key == "app";
  }
  result.text = table.empty() ? "Version and machine: equal\n"
                              : "Version and machine: these differ (that alone is no difference "
                                "in results)\n" +
                                    table.text("  ");
  return result;
}

SeriesComparison compare_series(const store::Series& a, const store::Series& b, double tolerance) {
  SeriesComparison result;
  const auto in_b = rows_by_step(b);
  for (const auto& [place, row] : rows_by_step(a)) {
    const auto other = in_b.find(place);
    if (other == in_b.end()) continue;
    ++result.common;
    Difference here;
    for (std::uint64_t column = 0; column < a.columns; ++column) {
      const double left = a.value[row * a.columns + column];
      const double right = b.value[other->second * b.columns + column];
      here.add_pair(left, right);
      result.values.add_pair(left, right);
    }
    if (here.max_relative <= tolerance) continue;
    if (result.differing++ == 0) result.first_step = place.first;
  }
  return result;
}

Comparison compare_metrics(const std::vector<store::Series>& a, const std::vector<store::Series>& b,
                           double tolerance) {
  Comparison result;
  TextTable table({"series", ">rows", ">differ", ">from step", ">max abs", ">max rel"});
  std::vector<std::string> only_a, only_b, machine;
  std::size_t equal = 0;
  for (const store::Series& left : a) {
    const auto right = std::ranges::find(b, left.name, &store::Series::name);
    if (of_the_machine(left)) {
      machine.push_back(left.name);
    } else if (right == b.end()) {
      only_a.push_back(left.name);
    } else if (left.columns != right->columns) {
      result.differs = true;
      table.add({base::printable(left.name), "-", "-", "-", "columns",
                 fmt::format("{} / {}", left.columns, right->columns)});
    } else {
      const SeriesComparison found = compare_series(left, *right, tolerance);
      equal += found.differing == 0 ? 1 : 0;
      if (found.differing == 0) continue;
      result.differs = true;
      table.add({base::printable(left.name), std::to_string(found.common),
                 std::to_string(found.differing), std::to_string(found.first_step),
                 short_number(found.values.max_abs), short_number(found.values.max_relative)});
    }
  }
  for (const store::Series& right : b) {
    const bool known = std::ranges::find(a, right.name, &store::Series::name) != a.end();
    if (!known && !of_the_machine(right)) only_b.push_back(right.name);
  }
  result.text = fmt::format("Metrics at common steps: {} series equal (to {:g}){}\n", equal,
                            tolerance, table.empty() ? "" : ", these are not");
  if (!table.empty()) result.text += table.text("  ");
  if (!only_a.empty()) result.text += "  only in A: " + few(only_a) + "\n";
  if (!only_b.empty()) result.text += "  only in B: " + few(only_b) + "\n";
  if (!machine.empty()) {
    result.text += "  times of the machine, not compared: " + few(machine) + "\n";
  }
  return result;
}

Comparison compare_states(const StateChain& whole_a, const StateChain& whole_b) {
  const StateFile &a = whole_a.newest(), &b = whole_b.newest();
  Comparison result;
  TextTable table({"data set", ">values", ">differ", ">max abs", ">max ulp"});
  std::size_t equal = 0;
  for (const StoredTensor& left : a.tensors()) {
    const StoredTensor* right = b.find(left.name);
    const std::string name = base::printable(left.name);
    if (right != nullptr && of_the_machine(left)) continue;
    if (right == nullptr) {
      table.add({name, "only in A"});
    } else if (left.dtype != right->dtype || left.sharded != right->sharded ||
               left.shape != right->shape ||
               whole_a.rows_in_use(left) != whole_b.rows_in_use(*right)) {
      table.add(
          {name, fmt::format("{} {} / {} {}", store::dtype_name(left.dtype), left.shape_text(),
                             store::dtype_name(right->dtype), right->shape_text())});
    } else {
      const Difference found = difference_of(whole_a, left, whole_b, *right);
      equal += found.differing == 0 ? 1 : 0;
      if (found.differing == 0) continue;
      table.add({name, std::to_string(found.elements), std::to_string(found.differing),
                 short_number(found.max_abs), ulp_text(left, found)});
    }
    result.differs = true;
  }
  for (const StoredTensor& right : b.tensors()) {
    if (a.find(right.name) != nullptr) continue;
    table.add({base::printable(right.name), "only in B"});
    result.differs = true;
  }
  result.text = fmt::format("State: step {} in A, {} in B; {} data sets equal{}\n", a.step(),
                            b.step(), equal, table.empty() ? "" : ", these are not");
  if (!table.empty()) result.text += table.text("  ");
  result.differs |= a.step() != b.step();
  return result;
}

}  // namespace tenfold::tool
