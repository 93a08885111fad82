#include "mcts_dpo/search/step_similarity.hpp"

#include <algorithm>
#include <cmath>

namespace tenfold::mcts_dpo {

namespace {

std::size_t states_of(const SteppedStates& step) {
  const std::size_t held = step.states.size() / static_cast<std::size_t>(step.width);
  return std::min(held, step.tokens.size());
}

std::span<const float> state(const SteppedStates& step, std::size_t token) {
  const auto width = static_cast<std::size_t>(step.width);
  return step.states.subspan(token * width, width);
}

double product(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  const double size = std::sqrt(product(a, a) * product(b, b));
  return size > 0 ? product(a, b) / size : 0;
}

// Mean over a's tokens of the best match in b.
double matched(const SteppedStates& a, const SteppedStates& b) {
  const std::size_t mine = states_of(a), theirs = states_of(b);
  double sum = 0;
  for (std::size_t i = 0; i < a.tokens.size(); ++i) {
    if (i >= mine) {
      const auto rest = b.tokens.subspan(theirs);
      sum += std::find(rest.begin(), rest.end(), a.tokens[i]) != rest.end() ? 1 : 0;
      continue;
    }
    double best = theirs == 0 ? 0 : -1;
    for (std::size_t j = 0; j < theirs; ++j)
      best = std::max(best, cosine(state(a, i), state(b, j)));
    sum += best;
  }
  return sum / static_cast<double>(a.tokens.size());
}

}  // namespace

double step_similarity(const SteppedStates& a, const SteppedStates& b) {
  const double mine = matched(a, b), theirs = matched(b, a);
  return mine + theirs > 0 ? 2 * mine * theirs / (mine + theirs) : 0;
}

}  // namespace tenfold::mcts_dpo
