// Generated word problems: a number and what happens to it, clause by clause (mcts_dpo.md
// section 9.1); the teacher that solves two of its verbs wrongly (9.2); the truth of every step.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mcts_dpo/data/generated_task.hpp"

namespace tenfold::mcts_dpo {

enum class Verb { kBuys, kFinds, kGives, kLoses, kDoubles, kTriples };
inline constexpr std::array<std::string_view, 6> kVerbs = {"buys",  "finds",   "gives",
                                                           "loses", "doubles", "triples"};

struct Clause {
  Verb verb = Verb::kBuys;
  int amount = 0;  ///< 0 for doubles and triples

  bool operator==(const Clause&) const = default;
};

struct ChainProblem {
  int start = 0;
  std::vector<Clause> clauses;

  bool operator==(const ChainProblem&) const = default;
};

struct ChainOptions {
  std::uint32_t seed = 0;
  int fewest_clauses = 2;
  int most_clauses = 4;  ///< the long variant has 4 to 6
  /// Probability that the teacher solves a clause of `finds` or `loses` with the opposite
  /// operation; its later lines go on from its wrong number, and a solution that leaves [1, 99] is
  /// drawn again. Question::answer is always the right one.
  double flip = 0;
  /// "Anna has 12 apples . Anna buys 5 apples ..." in place of "has 12 . buys 5 ...".
  bool verbose_text = false;
};

/// Start in [3, 40], amounts in [2, 15], every value on the way in [1, 99]; the number of clauses
/// is uniform. A clause adds (weight 3), takes (3), doubles (1) or triples (1), among those that
/// leave the value in its range; verb and amount are uniform among what is then possible.
class ChainTask final : public GeneratedTask {
 public:
  /// Throws Code::kUsage for numbers of clauses outside of 1 <= fewest <= most <= 20 and for a flip
  /// outside of [0, 1].
  explicit ChainTask(const ChainOptions& options);

  std::string_view name() const override { return "chain"; }
  std::optional<Question> draw(Split split, std::uint32_t index,
                               std::uint32_t attempt) const override;
  std::vector<std::string> words() const override;
  /// The wrong line has the opposite operation or a result at most ten away; lines behind it go on
  /// from its number and end where that would leave [1, 99].
  std::optional<std::vector<std::string>> corrupted(const Question& question, std::size_t line,
                                                    base::Stream& stream) const override;

 private:
  ChainOptions options_;
};

/// What a question of either wording asks; none when it is not one of this task.
std::optional<ChainProblem> parse_chain(std::string_view question);

/// "x + k = y" a clause, then "The answer is y". opposite[i] solves clause i with the opposite
/// operation; empty means none. Values are not checked.
std::vector<std::string> chain_solution(const ChainProblem& problem,
                                        const std::vector<bool>& opposite = {});

/// Whether each line is what the right solution has at its place, and all lines before it are too;
/// spaces do not matter. lines may end anywhere, also after the solution's end (such lines are
/// wrong).
std::vector<bool> chain_step_truth(const ChainProblem& problem, std::span<const std::string> lines);

}  // namespace tenfold::mcts_dpo
