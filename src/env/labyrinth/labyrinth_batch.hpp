// The paper's Labyrinth as a batch of environments: random mazes seen from inside.
#pragma once

#include <vector>

#include "env/batch_env.hpp"
#include "env/labyrinth/game.hpp"
#include "env/labyrinth/view.hpp"

namespace tenfold::env::labyrinth {

/// Every episode is a new maze, from the reset stream's draws alone. Observations are frames():
/// [E, side, side, 3] bytes of 90 degrees. Choices: labyrinth::Choice. Rewards of a decision: the
/// sum over its control steps. Episodes end by the time limit alone.
class LabyrinthBatch final : public BatchEnv {
 public:
  LabyrinthBatch(Spec spec, const Rules& rules, const View& view, std::size_t size);

  const Spec& spec() const override { return spec_; }
  std::size_t size() const override { return games_.size(); }
  void reset(std::size_t row, base::Stream& stream) override;
  void step(std::span<const float> actions) override;
  std::span<const float> observations() const override { return {}; }
  std::span<const std::uint8_t> frames() const override { return frames_; }
  std::span<const float> rewards() const override { return rewards_; }
  std::span<const std::uint8_t> terminal() const override { return terminal_; }
  std::span<const std::uint8_t> truncated() const override { return truncated_; }
  std::uint64_t unstable_count() const override { return 0; }
  /// portals, apples: so far in the episode. first_portal_seconds: from its start to the first
  /// portal. later_portal_seconds: mean from being set down anew to the next portal.
  std::vector<std::pair<std::string, double>> episode_facts(std::size_t row) const override;
  /// game_size() and the decisions taken.
  std::size_t state_size() const override { return game_size(rules_) + 1; }
  void save(std::size_t row, std::span<double> state) const override;
  void load(std::size_t row, std::span<const double> state) override;

  /// For players that may see everything, and for drawing.
  const Game& game(std::size_t row) const { return games_[row]; }
  const Rules& rules() const { return rules_; }

 private:
  void begin(std::size_t row);
  void draw(std::size_t row);

  Spec spec_;
  Rules rules_;
  View view_;
  std::vector<Game> games_;
  std::vector<std::int64_t> decisions_;
  std::vector<float> rewards_;
  std::vector<std::uint8_t> terminal_, truncated_, running_, background_, frames_;
};

/// A picture of what the game's agent sees: frame is [side, side, 3], background draw_background's.
void draw_view(const View& view, const Game& game, const std::uint8_t* background,
               std::uint8_t* frame);

}  // namespace tenfold::env::labyrinth
