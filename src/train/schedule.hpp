// When something is due that is asked for in steps or in time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/run_options.hpp"

namespace tenfold::train {

/// True when a multiple of every lies in (before, after].
bool crosses(std::uint64_t before, std::uint64_t after, std::uint64_t every);

/// "20000", "5m", or "auto": after every sqrt(2 d M) seconds, where d is how long the run last
/// stood still for a checkpoint and M the mean time between failures (Young 1974, the first order
/// of Daly 2006). Throws Code::kUsage.
struct CheckpointSchedule {
  CheckpointSchedule(const std::string& every, const std::string& mtbf);

  StepsOrTime every;  ///< what auto starts with: the first checkpoint tells what one costs
  std::optional<double> mtbf_s;  ///< set for auto
};

/// A repeating due date. Times count from the last reset.
class Due {
 public:
  explicit Due(StepsOrTime every);
  explicit Due(const CheckpointSchedule& schedule);
  /// Time-based answers may differ between ranks: ask on rank 0 and share the answer.
  bool check(std::uint64_t before, std::uint64_t after) const;
  void reset();
  /// What one checkpoint cost, in seconds; moves the date of an automatic schedule.
  void cost(double seconds);
  const StepsOrTime& every() const { return every_; }

 private:
  StepsOrTime every_;
  std::optional<double> mtbf_s_;
  double since_;
};

}  // namespace tenfold::train
