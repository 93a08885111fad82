#include "tenfold/simulate_input.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>

#include "base/file.hpp"
#include "base/text.hpp"
#include "store/checkpoint_store.hpp"
#include "tenfold/run_overview.hpp"
#include "tenfold/state_file.hpp"
#include "tenfold/target.hpp"

namespace tenfold::tool {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

[[noreturn]] void refuse(const std::string& flag, const std::string& text, const char* wanted) {
  throw Error(Code::kUsage,
              fmt::format("--{}: '{}' is not {}", flag, base::printable(text), wanted),
              "See `tenfold simulate --help`");
}

struct Quantity {
  double value = 0;
  std::string unit;
};

/// A number of at least 0 and what follows it; a value below 0 when there is no number.
Quantity parse_quantity(const std::string& text) {
  Quantity quantity;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), quantity.value);
  if (error != std::errc() || !std::isfinite(quantity.value)) quantity.value = -1;
  quantity.unit = std::string(end, text.data() + text.size());
  return quantity;
}

std::uint64_t parse_count(const std::string& flag, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > 1U << 30) {
    refuse(flag, text, "a number of ranks");
  }
  return value;
}

/// "400x17" is 6800; negative when it is no shape.
double elements_of(const std::string& shape) {
  double product = 1;
  for (const std::string& part : base::split(shape, 'x')) {
    const Quantity size = parse_quantity(part);
    if (size.value < 0 || !size.unit.empty() || size.value != std::floor(size.value)) return -1;
    product *= size.value;
  }
  return product;
}

ModelSize read_table(const fs::path& path) {
  ModelSize model;
  double total = 0;
  std::size_t number = 0;
  for (const std::string& raw : base::split(base::read_text(path), '\n')) {
    ++number;
    std::string line = raw;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    const auto comma = line.rfind(',');
    const double elements = comma == std::string::npos ? -1 : elements_of(line.substr(comma + 1));
    if (elements < 0 && number == 1) continue;  // a heading
    if (elements < 0) {
      throw Error(Code::kData,
                  fmt::format("{}:{}: '{}' is not NAME,SHAPE", path.string(), number,
                              base::printable(line.substr(0, 60))),
                  "As in layer0.weight,400x17");
    }
    total += elements;
  }
  if (total <= 0) throw Error(Code::kData, path.string() + ": names no parameters");
  model.parameters = {total};
  model.source = path.string();
  return model;
}

ModelSize read_checkpoint(const fs::path& folder) {
  store::verify_checkpoint(folder);
  const StateFile file(folder / "state.h5");
  std::map<std::string, double> networks;
  for (const StoredTensor& each : file.tensors()) {
    const auto parts = base::split(each.name, '/');
    if (parts.size() < 3 || parts[0] != "optimizer" || parts[2] != "m") continue;
    networks[parts[1]] += static_cast<double>(each.elements());
  }
  ModelSize model;
  for (const auto& each : networks) model.parameters.push_back(each.second);
  if (model.total() <= 0) {
    throw Error(Code::kData, folder.string() + " holds no moments of an optimiser",
                "Give --parameters or a table instead");
  }
  model.source = folder.string();
  return model;
}

}  // namespace

double parse_seconds(const std::string& flag, const std::string& text) {
  static const std::map<std::string, double> kUnits = {
      {"", 1}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}, {"m", 60}, {"h", 3600}};
  const Quantity quantity = parse_quantity(text);
  const auto unit = kUnits.find(quantity.unit);
  if (quantity.value < 0 || unit == kUnits.end()) refuse(flag, text, "a time (5us, 0.002, 6h)");
  return quantity.value * unit->second;
}

double parse_seconds_per_byte(const std::string& flag, const std::string& text) {
  static const std::map<std::string, double> kUnits = {
      {"B/s", 1}, {"kB/s", 1e3}, {"MB/s", 1e6}, {"GB/s", 1e9}, {"TB/s", 1e12}};
  const Quantity quantity = parse_quantity(text);
  if (quantity.value >= 0 && quantity.unit.empty()) return quantity.value;
  const auto unit = kUnits.find(quantity.unit);
  if (quantity.value <= 0 || unit == kUnits.end()) {
    refuse(flag, text, "a rate (40GB/s) or seconds per byte");
  }
  return 1 / (quantity.value * unit->second);
}

void parse_net(const std::string& text, Network* net) {
  const auto parts = base::split(text, ',');
  if (parts.size() < 2 || parts.size() > 3) refuse("net", text, "ALPHA,BETA or ALPHA,BETA,GAMMA");
  net->between = {parse_seconds("net", parts[0]), parse_seconds_per_byte("net", parts[1])};
  net->seconds_per_reduced = parts.size() == 3 ? parse_seconds_per_byte("net", parts[2]) : 0;
}

void parse_node(const std::string& text, Network* net) {
  const auto parts = base::split(text, ',');
  if (parts.size() != 3) refuse("node", text, "RANKS,ALPHA,BETA");
  net->ranks_per_node = parse_count("node", parts[0]);
  net->inside = {parse_seconds("node", parts[1]), parse_seconds_per_byte("node", parts[2])};
}

std::vector<std::uint64_t> parse_ranks(const std::string& text) {
  std::vector<std::uint64_t> ranks;
  const auto dots = text.find("..");
  if (dots == std::string::npos) {
    for (const std::string& part : base::split(text, ',')) {
      ranks.push_back(parse_count("ranks", part));
    }
    return ranks;
  }
  const std::uint64_t first = parse_count("ranks", text.substr(0, dots));
  const std::uint64_t last = parse_count("ranks", text.substr(dots + 2));
  for (std::uint64_t each = first; each <= last; each *= 2) ranks.push_back(each);
  if (ranks.empty()) refuse("ranks", text, "a range that grows (1..4096)");
  return ranks;
}

double ModelSize::total() const {
  return std::accumulate(parameters.begin(), parameters.end(), 0.0);
}

ModelSize read_model(const fs::path& path) {
  const Target target = find_target(path);
  if (target.kind == Target::Kind::kFile) return read_table(target.path);
  if (target.kind == Target::Kind::kCheckpoint) return read_checkpoint(target.path);
  const fs::path checkpoint = newest_checkpoint(target.path);
  if (checkpoint.empty()) {
    throw Error(Code::kData, target.path.string() + " has no checkpoint that tells its parameters",
                "Give --parameters or a table instead");
  }
  return read_checkpoint(checkpoint);
}

double quantile_of(std::vector<double> values, double quantile) {
  std::sort(values.begin(), values.end());
  const double place = quantile * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

MeasuredRun read_measured(const fs::path& path, double quantile) {
  const RunOverview run = read_overview(path);
  MeasuredRun measured;
  if (run.fact("world_size") != "1") {
    throw Error(Code::kData,
                fmt::format("{} ran on {} ranks", path.string(), run.fact("world_size")),
                "--from takes a run on one rank: its updates hold no communication");
  }
  const auto series = std::ranges::find(run.series, "perf/update_seconds", &store::Series::name);
  if (series == run.series.end() || series->step.empty()) {
    throw Error(Code::kData, path.string() + " has no metric perf/update_seconds");
  }
  measured.update_seconds = quantile_of(column(*series), quantile);
  measured.shards_per_rank = std::max(1.0, parse_quantity(run.fact("virtual_shards")).value);
  measured.ordered = run.fact("reduce") == "ordered";
  measured.model = read_model(path);
  return measured;
}

}  // namespace tenfold::tool
