#include "a3c/tally.hpp"

#include <fmt/format.h>

#include <bit>

namespace tenfold::a3c {

std::size_t StalenessHistogram::bin(std::int64_t staleness) {
  if (staleness <= 2) return static_cast<std::size_t>(staleness < 0 ? 0 : staleness);
  const auto doublings = std::bit_width(static_cast<std::uint64_t>(staleness - 1));  // 3, 4: 2
  return static_cast<std::size_t>(doublings) + 1 < kBins ? static_cast<std::size_t>(doublings) + 1
                                                         : kBins - 1;
}

std::string StalenessHistogram::label(std::size_t bin) {
  if (bin <= 2) return fmt::format("{}", bin);
  const int low = (1 << (bin - 2)) + 1;
  if (bin + 1 == kBins) return fmt::format("{}+", low);
  return fmt::format("{}-{}", low, 1 << (bin - 1));
}

void StalenessHistogram::add(std::int64_t staleness) {
  counts_[bin(staleness)] += 1;
  sum_ += static_cast<double>(staleness);
}

}  // namespace tenfold::a3c
