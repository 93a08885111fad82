#include "mcts_dpo/modes/rehearsal.hpp"

#include <algorithm>

namespace tenfold::mcts_dpo {

namespace {

// Any tokens: of one kind, so that they are of every vocabulary.
std::vector<std::int32_t> tokens(std::int64_t count, std::int32_t token) {
  return std::vector<std::int32_t>(static_cast<std::size_t>(count), token);
}

std::int64_t longest_path(const Config& config, std::int64_t prompt, std::int64_t positions) {
  return std::min(prompt + config.solution_tokens, positions);
}

}  // namespace

std::vector<PreferencePair> longest_pairs(const Config& config, std::int64_t prompt,
                                          std::int64_t positions) {
  const std::int64_t path = longest_path(config, prompt, positions);
  const std::int64_t different = std::clamp<std::int64_t>(
      config.method == "mcts-dpo" ? config.step_tokens : path - prompt, 1, path - 1);
  std::vector<PreferencePair> pairs;
  for (std::int64_t i = 0; i < config.batch; ++i) {
    PreferencePair pair;
    pair.question = i;
    pair.prefix = tokens(path - different, 0);
    pair.winner = tokens(different, 0);
    pair.loser = tokens(different, 1);
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

std::vector<Imitation> longest_sequences(const Config& config, std::int64_t prompt,
                                         std::int64_t positions) {
  const std::int64_t path = longest_path(config, prompt, positions);
  return {static_cast<std::size_t>(config.batch),
          Imitation{tokens(path, 0), std::clamp<std::int64_t>(prompt, 1, path - 1)}};
}

std::vector<Imitation> longest_of(std::vector<Imitation> sequences, std::int64_t batch) {
  const auto longer = [](const Imitation& a, const Imitation& b) {
    return a.tokens.size() > b.tokens.size();
  };
  const auto count = std::min(static_cast<std::size_t>(batch), sequences.size());
  std::partial_sort(sequences.begin(), sequences.begin() + static_cast<std::ptrdiff_t>(count),
                    sequences.end(), longer);
  sequences.resize(count);
  return sequences;
}

}  // namespace tenfold::mcts_dpo
