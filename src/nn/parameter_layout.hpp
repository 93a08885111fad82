// Where each named parameter lies in a flat buffer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tenfold::nn {

struct ParameterEntry {
  std::string name;                 ///< "layer0.weight", PyTorch's naming
  std::vector<std::int64_t> shape;  ///< {out, in} for weights, {n} else
  std::int64_t offset = 0;  ///< in elements; multiples of 16 unless adjacent, gaps stay zero
  std::int64_t size = 0;
  double init_low = 0, init_high = 0;  ///< uniform bounds; equal = constant
  bool decays = false;                 ///< takes L2 weight decay
};

class ParameterLayout {
 public:
  void add(std::string name, std::vector<std::int64_t> shape, double init_low, double init_high,
           bool decays);
  /// As add, but the entry begins where the one before ends: both are then also one matrix.
  void add_adjacent(std::string name, std::vector<std::int64_t> shape, double init_low,
                    double init_high, bool decays);
  const std::vector<ParameterEntry>& entries() const { return entries_; }
  std::int64_t flat_size() const { return flat_size_; }  ///< with padding
  std::int64_t parameter_count() const;                  ///< without
  /// The entry that holds flat index i, or "padding".
  std::string name_at(std::int64_t index) const;

 private:
  void append(std::string name, std::vector<std::int64_t> shape, std::int64_t offset);

  std::vector<ParameterEntry> entries_;
  std::int64_t flat_size_ = 0;
};

}  // namespace tenfold::nn
