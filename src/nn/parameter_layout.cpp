#include "nn/parameter_layout.hpp"

#include <utility>

#include "base/error.hpp"

namespace tenfold::nn {

void ParameterLayout::append(std::string name, std::vector<std::int64_t> shape,
                             std::int64_t offset) {
  // One cache line: every entry keeps the alignment of the buffer.
  constexpr std::int64_t kAlignment = 16;
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) {
    base::require(extent > 0, "ParameterLayout: a parameter needs positive extents");
    size *= extent;
  }
  entries_.push_back({std::move(name), std::move(shape), offset, size});
  flat_size_ = (offset + size + kAlignment - 1) / kAlignment * kAlignment;
}

void ParameterLayout::add(std::string name, std::vector<std::int64_t> shape, double init_low,
                          double init_high, bool decays) {
  append(std::move(name), std::move(shape), flat_size_);
  entries_.back().init_low = init_low;
  entries_.back().init_high = init_high;
  entries_.back().decays = decays;
}

void ParameterLayout::add_adjacent(std::string name, std::vector<std::int64_t> shape,
                                   double init_low, double init_high, bool decays) {
  base::require(!entries_.empty(), "ParameterLayout: nothing to be adjacent to");
  append(std::move(name), std::move(shape), entries_.back().offset + entries_.back().size);
  entries_.back().init_low = init_low;
  entries_.back().init_high = init_high;
  entries_.back().decays = decays;
}

std::int64_t ParameterLayout::parameter_count() const {
  std::int64_t count = 0;
  for (const ParameterEntry& entry : entries_) count += entry.size;
  return count;
}

std::string ParameterLayout::name_at(std::int64_t index) const {
  for (const ParameterEntry& entry : entries_) {
    if (index >= entry.offset && index < entry.offset + entry.size) return entry.name;
  }
  return "padding";
}

}  // namespace tenfold::nn
