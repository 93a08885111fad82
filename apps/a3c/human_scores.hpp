// What random play and a human tester reach in Atari games.
#pragma once

#include <optional>
#include <string>

namespace tenfold::a3c {

struct ReferenceScores {
  double random, human;
  /// 0 as random play, 1 as the human (Mnih et al. 2015, equation of extended data table 2).
  double normalised(double score) const { return (score - random) / (human - random); }
};

/// Of data/atari57_scores.csv, for a task's name in its Spec ("atari:pong"). None for tasks that
/// the table has not. Throws Code::kData for a missing or malformed table.
std::optional<ReferenceScores> reference_scores(const std::string& task);

}  // namespace tenfold::a3c
