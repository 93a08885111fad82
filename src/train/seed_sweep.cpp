#include "train/seed_sweep.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::train {

using base::Code;
using base::Error;

namespace {

constexpr std::size_t kMostSeeds = 100'000;
constexpr std::int32_t kNotBegun = -1;

[[noreturn]] void refuse(const std::string& text, const std::string& reason) {
  throw Error(Code::kUsage, fmt::format("--seeds '{}': {}", base::printable(text), reason),
              "Give numbers and ranges of numbers: 0:31, or 1:3,10");
}

std::uint32_t parse_seed(const std::string& word, const std::string& text) {
  std::uint32_t seed = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), seed);
  if (error != std::errc() || end != word.data() + word.size()) {
    refuse(text, fmt::format("'{}' is not a seed (0 to 4294967295)", base::printable(word)));
  }
  return seed;
}

}  // namespace

std::vector<std::uint32_t> parse_seeds(const std::string& text) {
  std::vector<std::uint32_t> seeds;
  std::set<std::uint32_t> seen;
  for (const std::string& part : base::split(text, ',')) {
    const std::size_t colon = part.find(':');
    const std::uint32_t first = parse_seed(part.substr(0, colon), text);
    const std::uint32_t last =
        colon == std::string::npos ? first : parse_seed(part.substr(colon + 1), text);
    if (last < first) refuse(text, fmt::format("{} is after {}", first, last));
    if (last - first >= kMostSeeds - seeds.size()) {
      refuse(text, fmt::format("more than {} seeds", kMostSeeds));
    }
    for (std::uint64_t seed = first; seed <= last; ++seed) {
      seeds.push_back(static_cast<std::uint32_t>(seed));
      if (!seen.insert(seeds.back()).second) refuse(text, fmt::format("{} is there twice", seed));
    }
  }
  return seeds;
}

cli::Resolved resolved_for_seed(const cli::OptionTable& table, cli::Resolved of_all,
                                const std::filesystem::path& folder, std::uint32_t seed) {
  const std::string name = fmt::format("seed-{}", seed);
  for (std::size_t i = 0; i < of_all.size(); ++i) {
    cli::ResolvedValue& each = of_all[i];  // in the table's order
    if (each.key == "run.seed") each.value = std::to_string(seed);
    if (each.key == "run.seeds") each.value.clear();
    if (each.key == "run.dir") each.value = (folder / name).string();
    if (table.options()[i].one_a_seed && !each.value.empty()) {
      each.value = (std::filesystem::path(each.value) / name).string();
    }
  }
  return of_all;
}

std::vector<SeedResult> run_seeds(
    const comm::Communicator& world, const std::vector<std::uint32_t>& seeds,
    std::int64_t ranks_per_seed,
    const std::function<int(const comm::Communicator& group, std::uint32_t seed)>& body,
    bool stop_all) {
  world.agree([&] {
    if (world.size() % ranks_per_seed == 0) return;
    throw Error(Code::kUsage, fmt::format("{} ranks cannot be cut into groups of {} "
                                          "(--ranks-per-seed)",
                                          world.size(), ranks_per_seed));
  });
  const auto groups = static_cast<std::size_t>(world.size() / ranks_per_seed);
  const auto mine = static_cast<std::size_t>(world.rank() / ranks_per_seed);
  const comm::Communicator group = world.split(static_cast<int>(mine));
  std::vector<std::int32_t> codes(seeds.size(), kNotBegun);
  for (std::size_t i = mine; i < seeds.size(); i += groups) {
    codes[i] = body(group, seeds[i]);
    if (codes[i] == static_cast<int>(Code::kStopped) && stop_all) break;
  }
  // Every code is -1 but on the ranks of its group.
  world.all_reduce(std::span<std::int32_t>(codes), comm::Op::kMax);
  std::vector<SeedResult> results;
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    results.push_back({seeds[i], std::max(0, codes[i]), codes[i] != kNotBegun});
  }
  return results;
}

int code_of_all(const std::vector<SeedResult>& results) {
  bool stopped = false;
  for (const SeedResult& each : results) {
    const bool unfinished = !each.run || each.code == static_cast<int>(Code::kStopped);
    stopped = stopped || unfinished;
    if (!unfinished && each.code != 0) return each.code;
  }
  return stopped ? static_cast<int>(Code::kStopped) : 0;
}

}  // namespace tenfold::train
