#include "mcts_dpo/data/chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "mcts_dpo/data/words.hpp"

namespace tenfold::mcts_dpo {

namespace {

constexpr int kLeastStart = 3, kMostStart = 40;
constexpr int kLeastAmount = 2, kMostAmount = 15;
constexpr int kLeastValue = 1, kMostValue = 99;
constexpr std::array<std::string_view, 12> kNames = {"Anna", "Ben",  "Clara", "David",
                                                     "Emma", "Finn", "Grace", "Hugo",
                                                     "Iris", "Jack", "Kate",  "Leo"};
constexpr std::array<std::string_view, 12> kItems = {"apples",  "books",   "coins",   "eggs",
                                                     "flowers", "marbles", "pencils", "plums",
                                                     "shells",  "stamps",  "stones",  "tickets"};
/// Parts of a candidate that are drawn from streams of their own.
enum Part : std::uint8_t { kProblem = 0, kFlips = 1, kWording = 2 };

bool takes_amount(Verb verb) {
  return verb != Verb::kDoubles && verb != Verb::kTriples;
}

bool in_range(std::int64_t value) {
  return kLeastValue <= value && value <= kMostValue;
}

struct Step {
  char operation;
  int operand;
  std::int64_t result;  ///< of parsed questions too, where 20 clauses may triple
};

Step solve(const Clause& clause, std::int64_t value, bool opposite) {
  switch (clause.verb) {
    case Verb::kDoubles:
      return {'*', 2, 2 * value};
    case Verb::kTriples:
      return {'*', 3, 3 * value};
    default: {
      const bool adds = clause.verb == Verb::kBuys || clause.verb == Verb::kFinds;
      return adds != opposite ? Step{'+', clause.amount, value + clause.amount}
                              : Step{'-', clause.amount, value - clause.amount};
    }
  }
}

std::string step_line(std::int64_t value, const Step& step) {
  return fmt::format("{} {} {} = {}", value, step.operation, step.operand, step.result);
}

/// Uniform, both ends included.
int draw_between(base::Stream& stream, int low, int high) {
  const unsigned values = static_cast<unsigned>(high - low) + 1U;
  return low + static_cast<int>(stream.below(values));
}

Clause draw_clause(base::Stream& stream, int value) {
  const int most_added = std::min(kMostAmount, kMostValue - value);
  const int most_taken = std::min(kMostAmount, value - kLeastValue);
  const std::array<unsigned, 4> weights = {
      most_added >= kLeastAmount ? 3U : 0U, most_taken >= kLeastAmount ? 3U : 0U,
      2 * value <= kMostValue ? 1U : 0U, 3 * value <= kMostValue ? 1U : 0U};
  std::uint64_t left = stream.below(weights[0] + weights[1] + weights[2] + weights[3]);
  std::size_t kind = 0;
  while (left >= weights.at(kind)) left -= weights.at(kind++);
  if (kind == 2) return {Verb::kDoubles, 0};
  if (kind == 3) return {Verb::kTriples, 0};
  const bool second = stream.below(2) == 1;
  const int most = kind == 0 ? most_added : most_taken;
  const int amount = draw_between(stream, kLeastAmount, most);
  if (kind == 0) return {second ? Verb::kFinds : Verb::kBuys, amount};
  return {second ? Verb::kLoses : Verb::kGives, amount};
}

ChainProblem draw_problem(base::Stream& stream, const ChainOptions& options) {
  ChainProblem problem;
  problem.start = draw_between(stream, kLeastStart, kMostStart);
  const int clauses = draw_between(stream, options.fewest_clauses, options.most_clauses);
  int value = problem.start;
  for (int i = 0; i < clauses; ++i) {
    problem.clauses.push_back(draw_clause(stream, value));
    value = static_cast<int>(solve(problem.clauses.back(), value, false).result);
  }
  return problem;
}

/// "buys 5", "Anna buys 5 apples", "Anna doubles the apples".
std::string clause_text(const Clause& clause, std::string_view who, std::string_view what) {
  const std::string_view verb = kVerbs.at(static_cast<std::size_t>(clause.verb));
  if (who.empty()) {
    return takes_amount(clause.verb) ? fmt::format("{} {}", verb, clause.amount)
                                     : std::string(verb);
  }
  if (!takes_amount(clause.verb)) return fmt::format("{} {} the {}", who, verb, what);
  return fmt::format("{} {} {} {}", who, verb, clause.amount, what);
}

std::string question_text(const ChainProblem& problem, std::string_view who,
                          std::string_view what) {
  std::string text = who.empty() ? fmt::format("has {}", problem.start)
                                 : fmt::format("{} has {} {}", who, problem.start, what);
  for (const Clause& clause : problem.clauses) text += " . " + clause_text(clause, who, what);
  return text + (who.empty() ? " ?" : fmt::format(" . How many {} does {} have ?", what, who));
}

std::optional<int> small_number(std::string_view word) {
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  const bool whole = error == std::errc() && end == word.data() + word.size();
  if (!whole || value < 0 || value > kMostValue) return std::nullopt;
  return value;
}

/// Another value of the range, at most ten away.
std::int64_t other_value(std::int64_t value, base::Stream& stream) {
  const int near = static_cast<int>(std::clamp<std::int64_t>(value, kLeastValue, kMostValue));
  int other = near;
  while (other == value) {
    other = draw_between(stream, std::max(kLeastValue, near - 10), std::min(kMostValue, near + 10));
  }
  return other;
}

/// The value that the teacher ends with, or none when it leaves the range on the way.
std::optional<std::int64_t> last_value(const ChainProblem& problem,
                                       const std::vector<bool>& opposite) {
  std::int64_t value = problem.start;
  for (std::size_t i = 0; i < problem.clauses.size(); ++i) {
    value = solve(problem.clauses[i], value, opposite[i]).result;
    if (!in_range(value)) return std::nullopt;
  }
  return value;
}

}  // namespace

ChainTask::ChainTask(const ChainOptions& options) : options_(options) {
  if (options.fewest_clauses < 1 || options.most_clauses < options.fewest_clauses ||
      options.most_clauses > 20) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("task chain with {} to {} clauses", options.fewest_clauses,
                                  options.most_clauses),
                      "1 <= fewest <= most <= 20");
  }
  if (!(options.flip >= 0 && options.flip <= 1)) {
    throw base::Error(base::Code::kUsage, fmt::format("task chain with flip {}", options.flip),
                      "A probability, 0 to 1");
  }
}

std::optional<Question> ChainTask::draw(Split split, std::uint32_t index,
                                        std::uint32_t attempt) const {
  base::Stream problem_stream = item_stream(options_.seed, split, index, attempt, kProblem);
  const ChainProblem problem = draw_problem(problem_stream, options_);
  const std::size_t clauses = problem.clauses.size();
  const std::vector<bool> none(clauses, false);
  std::vector<bool> opposite = none;
  base::Stream flips = item_stream(options_.seed, split, index, attempt, kFlips);
  for (std::size_t i = 0; i < clauses; ++i) {
    const Verb verb = problem.clauses[i].verb;
    if (verb != Verb::kFinds && verb != Verb::kLoses) continue;
    opposite[i] = flips.uniform() < options_.flip;
  }
  if (!last_value(problem, opposite)) return std::nullopt;

  Question question;
  if (options_.verbose_text) {
    base::Stream wording = item_stream(options_.seed, split, index, attempt, kWording);
    const std::string_view who = kNames.at(wording.below(kNames.size()));
    question.text = question_text(problem, who, kItems.at(wording.below(kItems.size())));
  } else {
    question.text = question_text(problem, {}, {});
  }
  question.answer = std::to_string(last_value(problem, none).value());
  question.solution = chain_solution(problem, opposite);
  return question;
}

std::vector<std::string> ChainTask::words() const {
  std::vector<std::string> words = {"has", ".", "?", "+", "-", "*", "=", "\n"};
  add_words(words, {"The answer is"});
  words.insert(words.end(), kVerbs.begin(), kVerbs.end());
  if (options_.verbose_text) {
    add_words(words, {"How many does have the"});
    words.insert(words.end(), kNames.begin(), kNames.end());
    words.insert(words.end(), kItems.begin(), kItems.end());
  }
  for (int number = 0; number <= kMostValue; ++number) words.push_back(std::to_string(number));
  return words;
}

std::optional<ChainProblem> parse_chain(std::string_view question) {
  const std::vector<std::string_view> words = words_of(question);
  const auto has = std::find(words.begin(), words.end(), "has");
  if (has == words.end() || has + 1 == words.end() || words.back() != "?") return std::nullopt;
  const std::optional<int> start = small_number(*(has + 1));
  if (!start) return std::nullopt;
  ChainProblem problem{*start, {}};
  for (auto word = has + 2; word != words.end(); ++word) {
    const auto verb = std::find(kVerbs.begin(), kVerbs.end(), *word);
    if (verb == kVerbs.end()) continue;
    Clause clause{static_cast<Verb>(verb - kVerbs.begin()), 0};
    if (takes_amount(clause.verb)) {
      const std::optional<int> amount = small_number(*(word + 1));  // "?" is the last word
      if (!amount) return std::nullopt;
      clause.amount = *amount;
    }
    problem.clauses.push_back(clause);
  }
  if (problem.clauses.empty() || problem.clauses.size() > 20) return std::nullopt;
  return problem;
}

std::vector<std::string> chain_solution(const ChainProblem& problem,
                                        const std::vector<bool>& opposite) {
  std::vector<std::string> lines;
  std::int64_t value = problem.start;
  for (std::size_t i = 0; i < problem.clauses.size(); ++i) {
    const Step step = solve(problem.clauses[i], value, i < opposite.size() && opposite[i]);
    lines.push_back(fmt::format("{} {} {} = {}", value, step.operation, step.operand, step.result));
    value = step.result;
  }
  lines.push_back(fmt::format("The answer is {}", value));
  return lines;
}

std::vector<bool> chain_step_truth(const ChainProblem& problem,
                                   std::span<const std::string> lines) {
  const std::vector<std::string> truth = chain_solution(problem);
  std::vector<bool> right;
  bool so_far = true;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    so_far = so_far && i < truth.size() && words_of(lines[i]) == words_of(truth[i]);
    right.push_back(so_far);
  }
  return right;
}

std::optional<std::vector<std::string>> ChainTask::corrupted(const Question& question,
                                                             std::size_t line,
                                                             base::Stream& stream) const {
  const std::optional<ChainProblem> problem = parse_chain(question.text);
  if (!problem || line > problem->clauses.size()) return std::nullopt;
  std::vector<std::string> lines;
  std::int64_t value = problem->start;
  for (std::size_t i = 0; i < problem->clauses.size(); ++i) {
    const Clause& clause = problem->clauses[i];
    Step step = solve(clause, value, false);
    if (i == line) {
      const Step opposite = solve(clause, value, true);
      const bool swap = stream.below(2) == 0 && takes_amount(clause.verb);
      if (swap && in_range(opposite.result)) {
        step = opposite;
      } else {
        step.result = other_value(step.result, stream);
      }
    }
    if (!in_range(step.result)) return lines;  // behind the wrong line: it could not be written
    lines.push_back(step_line(value, step));
    value = step.result;
  }
  if (line == problem->clauses.size()) value = other_value(value, stream);
  lines.push_back(fmt::format("The answer is {}", value));
  return lines;
}

}  // namespace tenfold::mcts_dpo
