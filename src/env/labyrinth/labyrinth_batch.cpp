#include "env/labyrinth/labyrinth_batch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "env/actions.hpp"
#include "env/tasks/task.hpp"

namespace tenfold::env {

namespace labyrinth {

namespace {

constexpr std::int64_t kControlSteps = 3600;  // 60 s

// Far things first, so that near ones cover them.
class Things {
 public:
  explicit Things(const Game& game) {
    add(game, game.portal, Kind::kPortal);
    for (std::int64_t k = 0; k < game.apples; ++k) {
      if (game.has_apple(k)) {
        add(game, game.apple_cells[static_cast<std::size_t>(k)], Kind::kApple);
      }
    }
    const auto squared = [&game](const Thing& thing) {
      const double dx = thing.x - game.pose.x, dy = thing.y - game.pose.y;
      return dx * dx + dy * dy;
    };
    std::sort(things_.begin(), things_.begin() + count_,
              [&](const Thing& a, const Thing& b) { return squared(a) > squared(b); });
  }
  std::span<const Thing> all() const { return {things_.data(), static_cast<std::size_t>(count_)}; }

 private:
  void add(const Game& game, std::int64_t cell, Kind kind) {
    const Place middle = game.maze.middle(cell);
    things_[static_cast<std::size_t>(count_++)] = {middle.x, middle.y, kind};
  }

  std::array<Thing, Rules::kMostApples + 1> things_;
  std::ptrdiff_t count_ = 0;
};

}  // namespace

void draw_view(const View& view, const Game& game, const std::uint8_t* background,
               std::uint8_t* frame) {
  Columns columns;
  const double cosine = std::cos(game.pose.heading), sine = std::sin(game.pose.heading);
  const Colour colour = wall_colour(game.hue);
  for (int column = 0; column < view.side; ++column) {
    cast_column(view, game.maze, game.pose, cosine, sine, colour, column, columns);
  }
  for (int row = 0; row < view.side; ++row) fill_row(view, columns, background, row, frame);
  const Things things(game);
  for (const Thing& thing : things.all()) {
    draw_thing(view, columns, game.pose, cosine, sine, thing, frame);
  }
}

LabyrinthBatch::LabyrinthBatch(Spec spec, const Rules& rules, const View& view, std::size_t size)
    : spec_(std::move(spec)),
      rules_(rules),
      view_(view),
      games_(size),
      decisions_(size),
      rewards_(size),
      terminal_(size),
      truncated_(size),
      running_(size),
      background_(view.bytes()),
      frames_(size * view.bytes()) {
  base::require(view.side >= View::kLeastSide && view.side <= View::kMostSide,
                "LabyrinthBatch: the picture's side is out of range");
  draw_background(view_, background_.data());
}

void LabyrinthBatch::reset(std::size_t row, base::Stream& stream) {
  start_game(rules_, stream, games_[row]);
  decisions_[row] = 0;
  begin(row);
}

void LabyrinthBatch::begin(std::size_t row) {
  draw(row);
  rewards_[row] = 0;
  terminal_[row] = truncated_[row] = 0;
  running_[row] = 1;
}

void LabyrinthBatch::draw(std::size_t row) {
  draw_view(view_, games_[row], background_.data(), frames_.data() + row * view_.bytes());
}

void LabyrinthBatch::step(std::span<const float> actions) {
  check_actions(spec_, actions, running_);
  for (std::size_t row = 0; row < size(); ++row) {
    const auto choice = static_cast<Choice>(actions[row]);
    double reward = 0;
    for (std::int64_t taken = 0; taken < spec_.action_repeat; ++taken) {
      reward += control_step(rules_, choice, games_[row]);
    }
    draw(row);
    rewards_[row] = static_cast<float>(reward);
    truncated_[row] = ++decisions_[row] >= spec_.horizon;
    running_[row] = truncated_[row] == 0;
  }
}

std::vector<std::pair<std::string, double>> LabyrinthBatch::episode_facts(std::size_t row) const {
  const Game& game = games_[row];
  constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
  const auto seconds = [this](std::int64_t steps) {
    return static_cast<double>(steps) * rules_.control_dt;
  };
  const double later = seconds(game.last_portal - game.first_portal);
  return {{"portals", static_cast<double>(game.portals)},
          {"apples", static_cast<double>(game.eaten)},
          {"first_portal_seconds", game.portals > 0 ? seconds(game.first_portal) : kNothing},
          {"later_portal_seconds",
           game.portals > 1 ? later / static_cast<double>(game.portals - 1) : kNothing}};
}

void LabyrinthBatch::save(std::size_t row, std::span<double> state) const {
  base::require(state.size() == state_size(), "LabyrinthBatch::save: wrong state size");
  save_game(rules_, games_[row], state.first(state.size() - 1));
  state.back() = static_cast<double>(decisions_[row]);
}

void LabyrinthBatch::load(std::size_t row, std::span<const double> state) {
  base::require(state.size() == state_size(), "LabyrinthBatch::load: wrong state size");
  load_game(rules_, state.first(state.size() - 1), games_[row]);
  decisions_[row] = static_cast<std::int64_t>(state.back());
  begin(row);
}

namespace {

// Two things are at least a cell less twice the reach apart, and so is a new start from any.
double most_reward(const Rules& rules, std::int64_t repeat) {
  const double way = static_cast<double>(repeat) * rules.control_dt * rules.speed;
  return 10 * (1 + std::floor(way / (Rules::kCell - 2 * Rules::kReach)));
}

std::unique_ptr<BatchEnv> make_labyrinth(const Spec& base, const NativeOptions& options) {
  const Settings& set = options.settings;
  const Rules rules{.cells = static_cast<int>(set.whole("cells")),
                    .apples = static_cast<int>(set.whole("apples")),
                    .loop_prob = set.real("loop-prob"),
                    .speed = set.real("speed"),
                    .turn = set.real("turn"),
                    .control_dt = base.control_dt};
  if (rules.apples + 2 > rules.cells * rules.cells) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("labyrinth: {} apples, a portal and a start need more than "
                                  "{}x{} cells",
                                  rules.apples, rules.cells, rules.cells),
                      "Set cells higher or apples lower");
  }
  const View view{static_cast<int>(set.whole("picture"))};
  Spec spec = base;
  spec.picture = {view.side, view.side, 3};
  spec.most_reward = most_reward(rules, spec.action_repeat);
  if (spec.horizon == std::max<std::int64_t>(1, kControlSteps / spec.action_repeat)) {
    const double steps = set.real("seconds") / spec.control_dt;
    spec.horizon = std::max<std::int64_t>(1, std::llround(steps) / spec.action_repeat);
  }
  return std::make_unique<LabyrinthBatch>(std::move(spec), rules, view, options.size);
}

}  // namespace

}  // namespace labyrinth

std::vector<TaskEntry> labyrinth_tasks() {
  using labyrinth::Rules;
  return {{{.name = "labyrinth",
            .summary = "find apples (1) and the portal (10, then a new start) in a new maze every "
                       "episode, seen from inside",
            .source = "the paper's rules; sizes, speeds and looks ours",
            .action_size = 1,
            .choices = labyrinth::kChoices,
            .picture = {84, 84, 3},
            .action_repeat = 4,
            .control_dt = 1 / 60.,
            .least_reward = 0,
            .most_reward = 10},
           "",
           labyrinth::kControlSteps,
           nullptr,
           labyrinth::make_labyrinth,
           {{"cells", 9, 2, labyrinth::Maze::kMost, true, "cells of 2 m a side of the maze"},
            {"apples", 10, 0, Rules::kMostApples, true, "apples in it"},
            {"loop-prob", 0.15, 0, 1, false, "share of the spanning tree's walls taken away"},
            {"picture", 84, labyrinth::View::kLeastSide, labyrinth::View::kMostSide, true,
             "pixels a side"},
            {"seconds", 60, 1, 1e6, false, "of an episode, where no horizon is given"},
            {"speed", 3, 0.1, 10, false, "m/s"},
            {"turn", 135, 1, 1000, false, "degrees/s"}}}};
}

}  // namespace tenfold::env
