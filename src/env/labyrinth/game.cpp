#include "env/labyrinth/game.hpp"

#include <algorithm>
#include <numbers>

#include "base/error.hpp"

namespace tenfold::env::labyrinth {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kAppleReward = 1, kPortalReward = 10;

bool is_free(const Game& game, std::int64_t cell) {
  const auto end = game.apple_cells.begin() + game.apples;
  return cell != game.portal && std::find(game.apple_cells.begin(), end, cell) == end;
}

void restore_apples(Game& game) {
  game.left = game.apples == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << game.apples) - 1;
}

// Anywhere but where the portal and the apples have their places.
void place_agent(base::Stream& stream, Game& game) {
  const std::int64_t cells = game.maze.cells();
  auto rest =
      static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(cells - game.apples - 1)));
  std::int64_t cell = 0;
  while (!is_free(game, cell) || rest-- > 0) ++cell;
  const double heading = stream.uniform(0, 2 * kPi);
  const Place middle = game.maze.middle(cell);
  game.pose = {middle.x, middle.y, heading};
}

// The first draws of a random order of all cells: the portal, then the apples.
void place_things(base::Stream& stream, Game& game) {
  const auto cells = static_cast<std::size_t>(game.maze.cells());
  std::array<std::int16_t, Maze::kMost * Maze::kMost> order{};
  for (std::size_t k = 0; k < cells; ++k) order[k] = static_cast<std::int16_t>(k);
  for (std::size_t k = 0; k <= static_cast<std::size_t>(game.apples); ++k) {
    std::swap(order[k], order[k + stream.below(cells - k)]);
  }
  game.portal = order[0];
  std::copy_n(order.begin() + 1, game.apples, game.apple_cells.begin());
}

// Any but those near red and cyan, which apples and the portal have.
double draw_hue(base::Stream& stream) {
  const double share = 0.68 * stream.uniform();
  return share < 0.34 ? 0.08 + share : 0.24 + share;
}

bool within_reach(const Game& game, std::int64_t cell) {
  const Place middle = game.maze.middle(cell);
  constexpr double kReach = Rules::kReach / Rules::kCell;
  const double dx = game.pose.x - middle.x, dy = game.pose.y - middle.y;
  return dx * dx + dy * dy < kReach * kReach;
}

// How a choice moves the agent: ahead and to the left (in [-1, 1]), and how it turns it.
struct Motion {
  double ahead, aside, turn;
};
constexpr std::array<Motion, kChoices> kMotions = {
    {{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}, {1, 0, 1}, {1, 0, -1}}};

void move(const Rules& rules, Choice choice, Game& game) {
  const Motion& motion = kMotions[static_cast<std::size_t>(choice)];
  game.pose.heading += motion.turn * rules.turn * kPi / 180 * rules.control_dt;
  if (motion.turn != 0) game.pose.heading = std::remainder(game.pose.heading, 2 * kPi);
  if (motion.ahead == 0 && motion.aside == 0) return;
  const double way = rules.speed * rules.control_dt / Rules::kCell;
  const double cosine = std::cos(game.pose.heading), sine = std::sin(game.pose.heading);
  move_disc(game.maze, Rules::kRadius / Rules::kCell,
            way * (motion.ahead * cosine - motion.aside * sine),
            way * (motion.ahead * sine + motion.aside * cosine), game.pose);
}

double take_apples(Game& game) {
  double reward = 0;
  for (std::int64_t k = 0; k < game.apples; ++k) {
    if (!game.has_apple(k) || !within_reach(game, game.apple_cells[static_cast<std::size_t>(k)])) {
      continue;
    }
    game.left &= ~(std::uint64_t{1} << k);
    game.eaten += 1;
    reward += kAppleReward;
  }
  return reward;
}

}  // namespace

void start_game(const Rules& rules, base::Stream& stream, Game& game) {
  base::require(rules.apples >= 0 && rules.apples <= Rules::kMostApples &&
                    rules.apples + 2 <= rules.cells * rules.cells,
                "labyrinth: more apples than cells");
  build_maze(stream, rules.cells, rules.loop_prob, game.maze);
  game.apples = rules.apples;
  place_things(stream, game);
  restore_apples(game);
  game.hue = draw_hue(stream);
  game.respawn_seed = stream.bits();
  place_agent(stream, game);
  game.control_steps = game.eaten = game.portals = game.first_portal = game.last_portal = 0;
}

double control_step(const Rules& rules, Choice choice, Game& game) {
  move(rules, choice, game);
  game.control_steps += 1;
  if (!within_reach(game, game.portal)) return take_apples(game);
  game.last_portal = game.control_steps;
  if (game.portals == 0) game.first_portal = game.control_steps;
  base::Stream stream(game.respawn_seed, base::Purpose::kDisturbance, 0,
                      static_cast<std::uint64_t>(game.portals));
  game.portals += 1;
  restore_apples(game);
  place_agent(stream, game);
  return kPortalReward;
}

std::size_t game_size(const Rules& rules) {
  return static_cast<std::size_t>(rules.cells * rules.cells + rules.apples) + 11;
}

void save_game(const Rules& rules, const Game& game, std::span<double> state) {
  base::require(state.size() == game_size(rules), "labyrinth: wrong state size");
  double* out = std::copy_n(game.maze.walls.begin(), game.maze.cells(), state.data());
  for (std::int64_t k = 0; k < game.apples; ++k) {
    const double cell = game.apple_cells[static_cast<std::size_t>(k)];
    *out++ = game.has_apple(k) ? cell : -1 - cell;
  }
  for (const double each : {game.pose.x, game.pose.y, game.pose.heading, game.hue,
                            static_cast<double>(game.respawn_seed)}) {
    *out++ = each;
  }
  for (const std::int64_t each : {game.portal, game.control_steps, game.eaten, game.portals,
                                  game.first_portal, game.last_portal}) {
    *out++ = static_cast<double>(each);
  }
}

void load_game(const Rules& rules, std::span<const double> state, Game& game) {
  base::require(state.size() == game_size(rules), "labyrinth: wrong state size");
  const double* in = state.data();
  game.maze.count = rules.cells;
  for (int k = 0; k < game.maze.cells(); ++k) {
    game.maze.walls[static_cast<std::size_t>(k)] = static_cast<std::uint8_t>(*in++);
  }
  game.apples = rules.apples;
  game.left = 0;
  for (std::int64_t k = 0; k < game.apples; ++k, ++in) {
    if (*in >= 0) game.left |= std::uint64_t{1} << k;
    game.apple_cells[static_cast<std::size_t>(k)] =
        static_cast<std::int16_t>(*in >= 0 ? *in : -1 - *in);
  }
  game.pose = {in[0], in[1], in[2]};
  game.hue = in[3];
  game.respawn_seed = static_cast<std::uint32_t>(in[4]);
  in += 5;
  for (std::int64_t* each : {&game.portal, &game.control_steps, &game.eaten, &game.portals,
                             &game.first_portal, &game.last_portal}) {
    *each = static_cast<std::int64_t>(*in++);
  }
}

}  // namespace tenfold::env::labyrinth
