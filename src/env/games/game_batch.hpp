// E copies of one native game as a BatchEnv.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/function.hpp"
#include "env/actions.hpp"
#include "env/tasks/task.hpp"

namespace tenfold::env::games {

/// What a step gave.
struct Outcome {
  double reward = 0;
  bool ended = false;  ///< by the game's rules, never by a time limit
};

/// What an observation is: size floats, a picture's in the order height, width, channels.
struct Shape {
  std::size_t size = 0;
  std::array<std::int64_t, 3> picture{};
};
inline Shape numbers(std::size_t size) {
  return {size, {}};
}
inline Shape picture(std::int64_t height, std::int64_t width, std::int64_t channels) {
  return {static_cast<std::size_t>(height * width * channels), {height, width, channels}};
}

/// The state of one game, trivially copyable: reset, step and observe are TENFOLD_FUNCTION without
/// virtual calls or memory of their own, so that a Kokkos kernel over rows can call them as the
/// loop below does. each() calls visit on every number of the state in a fixed order: doubles,
/// integers of up to 32 bits, bools and std::arrays of them. That is what a saved state holds, a
/// double each.
template <class Game>
concept GameState = std::is_trivially_copyable_v<Game> &&
    std::is_trivially_copyable_v<typename Game::Rules> &&
    requires(Game game, const typename Game::Rules& rules, base::Stream& stream,
             const Settings& settings, float* out) {
  { Game::kChoices } -> std::convertible_to<std::int64_t>;
  { Game::rules(settings) } -> std::same_as<typename Game::Rules>;
  { Game::shape(rules) } -> std::same_as<Shape>;
  game.reset(rules, stream);
  game.observe(rules, out);
};

/// Game::kChoices 0: one continuous action in [-1, 1], given as a double; else a choice as an int.
template <GameState Game>
class GameBatch final : public BatchEnv {
 public:
  using Rules = typename Game::Rules;

  /// The spec's bounds of rewards are of one control step; with action_repeat they are widened.
  GameBatch(Spec spec, const Rules& rules, std::size_t size)
      : spec_(std::move(spec)),
        rules_(rules),
        rows_(size),
        rewards_(size),
        terminal_(size),
        truncated_(size),
        running_(size) {
    const Shape shape = Game::shape(rules);
    spec_.observation_size = shape.size;
    spec_.picture = shape.picture;
    const auto repeat = static_cast<double>(spec_.action_repeat);
    spec_.least_reward = std::min(spec_.least_reward, repeat * spec_.least_reward);
    spec_.most_reward = std::max(spec_.most_reward, repeat * spec_.most_reward);
    observations_.resize(size * shape.size);
  }

  const Spec& spec() const override { return spec_; }
  std::size_t size() const override { return rows_.size(); }

  void reset(std::size_t row, base::Stream& stream) override {
    rows_[row] = {};
    rows_[row].game.reset(rules_, stream);
    begin(row);
  }

  void step(std::span<const float> actions) override {
    check_actions(spec_, actions, running_);
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      Row& it = rows_[row];
      double reward = 0;
      bool ended = false;
      for (std::int64_t taken = 0; taken < spec_.action_repeat && !ended; ++taken) {
        const Outcome outcome = act(it.game, actions[row]);
        reward += outcome.reward;
        ended = outcome.ended;
      }
      ++it.decisions;
      observe(row);
      rewards_[row] = static_cast<float>(reward);
      terminal_[row] = ended;
      truncated_[row] = !ended && it.decisions >= spec_.horizon;
      running_[row] = terminal_[row] == 0 && truncated_[row] == 0;
    }
  }

  std::span<const float> observations() const override { return observations_; }
  std::span<const float> rewards() const override { return rewards_; }
  std::span<const std::uint8_t> terminal() const override { return terminal_; }
  std::span<const std::uint8_t> truncated() const override { return truncated_; }
  std::uint64_t unstable_count() const override { return 0; }

  /// The game's numbers in the order of Game::each, then the decisions taken.
  std::size_t state_size() const override {
    const Game game = {};
    std::size_t count = 1;
    Game::each(game, [&count](const auto& part) { count += count_of(part); });
    return count;
  }
  void save(std::size_t row, std::span<double> state) const override {
    base::require(state.size() == state_size(), "GameBatch::save: wrong state size");
    double* out = state.data();
    Game::each(rows_[row].game, [&out](const auto& part) { put(part, out); });
    *out = static_cast<double>(rows_[row].decisions);
  }
  void load(std::size_t row, std::span<const double> state) override {
    base::require(state.size() == state_size(), "GameBatch::load: wrong state size");
    const double* in = state.data();
    Game::each(rows_[row].game, [&in](auto& part) { take(part, in); });
    rows_[row].decisions = static_cast<std::int64_t>(*in);
    begin(row);
  }

 private:
  struct Row {
    Game game = {};
    std::int64_t decisions = 0;
  };

  template <class Part>
  static std::size_t count_of(const Part& part) {
    if constexpr (std::is_arithmetic_v<Part>) {
      return 1;
    } else {
      return part.size();
    }
  }
  template <class Part>
  static void put(const Part& part, double*& out) {
    if constexpr (std::is_arithmetic_v<Part>) {
      *out++ = static_cast<double>(part);
    } else {
      for (const auto& each : part) put(each, out);
    }
  }
  template <class Part>
  static void take(Part& part, const double*& in) {
    if constexpr (std::is_arithmetic_v<Part>) {
      part = static_cast<Part>(*in++);
    } else {
      for (auto& each : part) take(each, in);
    }
  }

  Outcome act(Game& game, float action) const {
    if constexpr (Game::kChoices > 0) {
      return game.step(rules_, static_cast<int>(action));
    } else {
      return game.step(rules_, std::clamp(static_cast<double>(action), -1.0, 1.0));
    }
  }

  void begin(std::size_t row) {
    observe(row);
    rewards_[row] = 0;
    terminal_[row] = truncated_[row] = 0;
    running_[row] = 1;
  }

  void observe(std::size_t row) {
    rows_[row].game.observe(rules_, observations_.data() + row * spec_.observation_size);
  }

  Spec spec_;
  Rules rules_;
  std::vector<Row> rows_;
  std::vector<float> observations_, rewards_;
  std::vector<std::uint8_t> terminal_, truncated_, running_;
};

/// Throws Code::kUsage when a game that ends by its rules is asked to go on.
template <class Game>
std::unique_ptr<BatchEnv> make_game(const Spec& spec, const NativeOptions& options) {
  check_may_end(spec, options);
  return std::make_unique<GameBatch<Game>>(spec, Game::rules(options.settings), options.size);
}

/// The registry's entry: spec completed by what the game says of itself under its default settings.
template <class Game>
TaskEntry game_entry(Spec spec, std::string alias, std::int64_t steps,
                     std::vector<Setting> settings = {}) {
  const Shape shape = Game::shape(Game::rules(Settings(spec.name, settings, "")));
  spec.observation_size = shape.size;
  spec.picture = shape.picture;
  spec.action_size = 1;
  spec.choices = Game::kChoices;
  return {std::move(spec), std::move(alias), steps, nullptr, make_game<Game>, std::move(settings)};
}

}  // namespace tenfold::env::games
