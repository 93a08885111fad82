// When something is due that is asked for in steps or in time.
#pragma once

#include <cstdint>

#include "train/run_options.hpp"

namespace tenfold::train {

/// True when a multiple of every lies in (before, after].
bool crosses(std::uint64_t before, std::uint64_t after, std::uint64_t every);

/// A repeating due date. Times count from the last reset.
class Due {
 public:
  explicit Due(StepsOrTime every);
  /// Time-based answers may differ between ranks: ask on rank 0 and share the answer.
  bool check(std::uint64_t before, std::uint64_t after) const;
  void reset();

 private:
  StepsOrTime every_;
  double since_;
};

}  // namespace tenfold::train
