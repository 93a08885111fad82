// The search where it is not about text: bandits and games whose answers are known.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "search/commit.hpp"
#include "support/stub_expander.hpp"

namespace tenfold::search {
namespace {

constexpr std::int32_t kPull = -1;

/// Arms that pay 1 with their probabilities: an arm's children are its pulls, one after another.
class Bandit : public Expander {
 public:
  Bandit(std::vector<double> chances, std::uint64_t pulls)
      : chances_(std::move(chances)), pulls_(pulls) {}

  void submit(std::uint64_t id, const Tree& tree, NodeId node) override {
    made_ = spare(id, node);
    if (node == 0) {
      for (std::int32_t arm = 0; arm < static_cast<std::int32_t>(chances_.size()); ++arm) {
        made_.add({}, std::vector{arm});
      }
      return;
    }
    const auto arm = static_cast<std::uint32_t>(tree.items(node)[0]);
    base::Stream draws(1, base::Purpose::kTest, arm, id);
    for (std::uint64_t pull = 0; pull < pulls_; ++pull) {
      NodeFacts facts;
      facts.flags = kTerminal;
      facts.outcome = facts.reward = draws.uniform() < chances_[arm] ? 1 : 0;
      made_.add(facts, std::vector{kPull});
    }
  }
  void advance(std::vector<Expansion>& finished) override { finished.push_back(std::move(made_)); }

 private:
  std::vector<double> chances_;
  std::uint64_t pulls_;
  Expansion made_;
};

TEST(SearchGames, Ucb1KeepsItsRegretBound) {
  // Auer, Cesa-Bianchi, Fischer 2002, theorem 1: with c = sqrt(2), an arm that is worse by d is
  // pulled at most 8 ln n / d^2 + 1 + pi^2 / 3 times in the mean.
  const std::vector<double> chances = {.3, .8, .5};
  constexpr std::uint32_t kPulls = 1000;
  SearchOptions options;
  options.selection = Selection::kUcb1;
  options.c_puct = std::sqrt(2.0);
  options.count_unvisited = false;
  options.iterations = kPulls;
  options.depth_limit = 2;
  options.commits = 1;
  constexpr int kBandits = 20;
  std::array<double, 3> pulls{};
  int found = 0;
  for (std::uint64_t id = 0; id < kBandits; ++id) {
    Bandit bandit(chances, kPulls);
    const TreeSearch search = searched(options, bandit, id);
    const Tree& tree = search.tree();
    EXPECT_EQ(tree.visits(1) + tree.visits(2) + tree.visits(3), kPulls);
    for (NodeId arm = 1; arm <= 3; ++arm) {
      pulls[arm - 1] += static_cast<double>(tree.visits(arm)) / kBandits;
      // Q is the mean of what was pulled, in the order of pulls.
      double paid = 0;
      for (std::uint32_t k = 0; k < tree.child_count(arm); ++k) {
        const NodeId pull = tree.first_child(arm) + k;
        ASSERT_EQ(tree.visits(pull), k < tree.visits(arm) ? 1U : 0U);
        if (k < tree.visits(arm)) paid += tree.reward(pull);
      }
      EXPECT_NEAR(tree.q(arm), paid / tree.visits(arm), 1e-12);
    }
    found += search.root() == 2 ? 1 : 0;
  }
  EXPECT_EQ(found, kBandits);
  for (const std::size_t arm : {0U, 2U}) {
    const double gap = .8 - chances[arm];
    const double bound = 8 * std::log(double{kPulls}) / (gap * gap) + 1 + M_PI * M_PI / 3;
    EXPECT_LT(pulls[arm], bound);
    EXPECT_GT(pulls[arm], 1);
  }
}

/// Two players in turn; outcomes are the first one's. Evaluates new positions by a random playout.
template <class Game>
class Playout : public Expander {
 public:
  explicit Playout(Game start, bool random = true) : start_(start), random_(random) {}

  void submit(std::uint64_t id, const Tree& tree, NodeId node) override {
    made_ = spare(id, node);
    Game game = start_;
    for (const std::int32_t move : tree.state_items(node)) game.play(move);
    const std::vector<std::int32_t> moves = game.moves();
    for (std::size_t k = 0; k < moves.size(); ++k) {
      Game next = game;
      next.play(moves[k]);
      NodeFacts facts;
      facts.prior = 1.0 / static_cast<double>(moves.size());
      if (next.over()) {
        facts.flags = kTerminal;
        facts.outcome = next.outcome();
      } else if (random_) {
        base::Stream draws(5, base::Purpose::kTest, static_cast<std::uint32_t>(k),
                           tree.path_key(node));
        while (!next.over()) {
          const auto open = next.moves();
          next.play(open[draws.below(open.size())]);
        }
        facts.self_evaluation = next.outcome();
      }
      facts.reward = facts.outcome + facts.self_evaluation;
      made_.add(facts, std::vector{moves[k]});
    }
  }
  void advance(std::vector<Expansion>& finished) override { finished.push_back(std::move(made_)); }

 private:
  Game start_;
  bool random_;
  Expansion made_;
};

/// Takes 1 to 3 of a heap; who takes the last one wins. Won, by taking n mod 4, unless 4 divides n.
struct Nim {
  int left = 0;
  bool first_moves = true;
  std::vector<std::int32_t> moves() const {
    std::vector<std::int32_t> all;
    for (int take = 1; take <= std::min(3, left); ++take) all.push_back(take);
    return all;
  }
  void play(std::int32_t take) {
    left -= take;
    first_moves = !first_moves;
  }
  bool over() const { return left == 0; }
  double outcome() const { return first_moves ? -1 : 1; }  // who is to move has lost
};

struct TicTacToe {
  std::array<int, 9> cells{};
  int player = 1;
  static constexpr int kLines[8][3] = {{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {0, 3, 6},
                                       {1, 4, 7}, {2, 5, 8}, {0, 4, 8}, {2, 4, 6}};
  int winner() const {
    for (const auto& line : kLines) {
      const int sum = cells[static_cast<std::size_t>(line[0])] +
                      cells[static_cast<std::size_t>(line[1])] +
                      cells[static_cast<std::size_t>(line[2])];
      if (sum == 3 || sum == -3) return sum / 3;
    }
    return 0;
  }
  std::vector<std::int32_t> moves() const {
    std::vector<std::int32_t> all;
    for (std::int32_t k = 0; k < 9; ++k) {
      if (cells[static_cast<std::size_t>(k)] == 0) all.push_back(k);
    }
    return all;
  }
  void play(std::int32_t cell) {
    cells[static_cast<std::size_t>(cell)] = player;
    player = -player;
  }
  bool over() const { return winner() != 0 || moves().empty(); }
  double outcome() const { return winner(); }
};

template <class Game>
double minimax(const Game& game, bool first_moves) {
  if (game.over()) return game.outcome();
  double best = first_moves ? -2 : 2;
  for (const std::int32_t move : game.moves()) {
    Game next = game;
    next.play(move);
    const double value = minimax(next, !first_moves);
    best = first_moves ? std::max(best, value) : std::min(best, value);
  }
  return best;
}

SearchOptions game_options(std::uint32_t iterations) {
  SearchOptions options;
  options.two_players = true;
  options.depth_limit = 100;
  options.commits = 1;
  options.c_puct = 2;
  options.iterations = iterations;
  return options;
}

TEST(SearchGames, NimIsPlayedAsItsTheorySays) {
  for (const IterationEnd end : {IterationEnd::kNewNode, IterationEnd::kTerminal}) {
    SearchOptions options = game_options(3000);
    options.iteration_end = end;
    for (int heap = 1; heap <= 13; ++heap) {
      Playout<Nim> expander(Nim{heap}, end == IterationEnd::kNewNode);
      const TreeSearch search = searched(options, expander, 0);
      const Tree& tree = search.tree();
      EXPECT_EQ(tree.v(0) > 0, heap % 4 != 0) << heap << ": " << tree.v(0);
      if (heap % 4 != 0) {
        EXPECT_EQ(tree.items(search.root())[0], heap % 4) << heap;
      }
      EXPECT_NEAR(tree.v(0), heap % 4 != 0 ? 1 : -1, .35) << heap;
    }
  }
  // With many iterations the mean over visits comes to the game's value.
  SearchOptions options = game_options(100000);
  Playout<Nim> expander(Nim{6}, false);
  EXPECT_NEAR(searched(options, expander, 0).tree().v(0), 1, .01);
}

TEST(SearchGames, TicTacToeIsPlayedWithoutAMistake) {
  SearchOptions options = game_options(3000);
  options.iteration_end = IterationEnd::kNewNode;
  int positions = 0, decisive = 0;
  for (std::uint64_t number = 0; positions < 60; ++number) {
    TicTacToe game;
    base::Stream draws(2, base::Purpose::kTest, 0, number);
    const std::uint64_t stones = 2 * draws.below(4);  // the first player is to move
    for (std::uint64_t k = 0; k < stones && !game.over(); ++k) {
      const auto open = game.moves();
      game.play(open[draws.below(open.size())]);
    }
    if (game.over()) continue;
    ++positions;
    const double value = minimax(game, true);
    decisive += value != 0 ? 1 : 0;
    Playout<TicTacToe> expander(game);
    const TreeSearch search = searched(options, expander, 0);
    game.play(search.tree().items(search.root())[0]);
    EXPECT_EQ(minimax(game, false), value) << number;
  }
  EXPECT_GT(decisive, 20);
}

TEST(SearchGames, TheSecondPlayerChoosesTheLowest) {
  SearchOptions options = game_options(500);
  Tree tree;
  Expansion made;
  for (const double reward : {.2, .8}) {
    NodeFacts facts;
    facts.reward = reward;
    made.add(facts, {});
  }
  tree.expand(0, made, EdgeReward::kDifference);
  tree.expand(2, made, EdgeReward::kDifference);
  for (const NodeId node : {0U, 1U, 2U, 3U, 4U}) tree.set_statistics(node, 3, tree.q(node), 0);
  EXPECT_EQ(choose_child(tree, 0, options, 0), 2U);
  EXPECT_EQ(choose_child(tree, 2, options, 0), 3U);
}

}  // namespace
}  // namespace tenfold::search
