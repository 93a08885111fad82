// Environments that follow a script, for tests of what learns in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "env/batch_env.hpp"
#include "support/exact_numbers.hpp"

namespace tenfold::test {

/// Observations and rewards are draws of a counter (make_a3c.py's World), whatever is done; ends
/// come at the steps that the script names. Keeps the actions that it is given.
class ScriptedEnv final : public env::BatchEnv {
 public:
  enum class Kind : std::uint8_t { kEnd, kCut, kLife };
  using Ends = std::map<std::pair<std::size_t, std::size_t>, Kind>;  ///< by (step from 1, row)

  /// fresh false: an episode begins where the one before ended.
  ScriptedEnv(env::Spec spec, std::size_t rows, Ends ends, bool fresh = true)
      : spec_(std::move(spec)),
        rows_(rows),
        ends_(std::move(ends)),
        fresh_(fresh),
        observations_(rows * spec_.observation_size),
        rewards_(rows),
        terminal_(rows),
        truncated_(rows),
        life_lost_(rows) {}

  const env::Spec& spec() const override { return spec_; }
  std::size_t size() const override { return rows_; }
  void reset(std::size_t row, base::Stream& /*stream*/) override {
    observe(row, time_ == 0 || !fresh_ ? kGoingOn : kFresh);
  }
  void step(std::span<const float> actions) override {
    ++time_;
    taken.emplace_back(actions.begin(), actions.end());
    for (std::size_t row = 0; row < rows_; ++row) {
      observe(row, kGoingOn);
      rewards_[row] = static_cast<float>(2 * exact_number(3, time_ * rows_ + row));
      const auto end = ends_.find({time_, row});
      terminal_[row] = end != ends_.end() && end->second == Kind::kEnd;
      truncated_[row] = end != ends_.end() && end->second == Kind::kCut;
      life_lost_[row] = end != ends_.end() && end->second == Kind::kLife;
    }
  }
  std::span<const float> observations() const override { return observations_; }
  std::span<const float> rewards() const override { return rewards_; }
  std::span<const std::uint8_t> terminal() const override { return terminal_; }
  std::span<const std::uint8_t> truncated() const override { return truncated_; }
  std::span<const std::uint8_t> life_lost() const override { return life_lost_; }
  std::uint64_t unstable_count() const override { return 0; }
  std::size_t state_size() const override { return 1; }
  void save(std::size_t /*row*/, std::span<double> state) const override {
    state[0] = static_cast<double>(time_);
  }
  void load(std::size_t /*row*/, std::span<const double> state) override {
    time_ = static_cast<std::size_t>(state[0]);
  }

  std::vector<std::vector<float>> taken;  ///< [steps][E * action_size]

 private:
  static constexpr std::uint32_t kGoingOn = 1, kFresh = 2;  // sequences of draws

  void observe(std::size_t row, std::uint32_t salt) {
    const std::size_t width = spec_.observation_size;
    for (std::size_t i = 0; i < width; ++i) {
      observations_[row * width + i] =
          static_cast<float>(2 * exact_number(salt, (time_ * rows_ + row) * width + i));
    }
  }

  env::Spec spec_;
  std::size_t rows_, time_ = 0;
  Ends ends_;
  bool fresh_;
  std::vector<float> observations_, rewards_;
  std::vector<std::uint8_t> terminal_, truncated_, life_lost_;
};

}  // namespace tenfold::test
