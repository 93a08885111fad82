#include "mcts_dpo/search/calibration.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <sstream>

#include "mcts_dpo/data/chain.hpp"
#include "mcts_dpo/search/answer_flags.hpp"

namespace tenfold::mcts_dpo {

double area_under_curve(std::vector<Opinion> opinions) {
  std::sort(opinions.begin(), opinions.end(),
            [](const Opinion& a, const Opinion& b) { return a.confidence < b.confidence; });
  double right = 0, rank_sum = 0;
  for (std::size_t begin = 0, end = 0; begin < opinions.size(); begin = end) {
    while (end < opinions.size() && opinions[end].confidence == opinions[begin].confidence) ++end;
    // Equal ones share their mean rank, counted from 1.
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    for (std::size_t i = begin; i < end; ++i) {
      if (!opinions[i].right) continue;
      right += 1;
      rank_sum += rank;
    }
  }
  const double wrong = static_cast<double>(opinions.size()) - right;
  if (right == 0 || wrong == 0) return std::numeric_limits<double>::quiet_NaN();
  return (rank_sum - right * (right + 1) / 2) / (right * wrong);
}

double expected_calibration_error(std::span<const Opinion> opinions) {
  constexpr std::size_t kBins = 10;
  std::array<double, kBins> confidence{}, right{};
  for (const Opinion& each : opinions) {
    const double place = std::clamp(each.confidence, 0.0, 1.0) * kBins;
    const std::size_t bin = std::min(static_cast<std::size_t>(place), kBins - 1);
    confidence[bin] += each.confidence;
    right[bin] += each.right ? 1 : 0;
  }
  double sum = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) sum += std::abs(confidence[bin] - right[bin]);
  return sum / static_cast<double>(opinions.size());
}

std::optional<bool> steps_are_right(const Config& config, const Question& question,
                                    const std::string& partial) {
  if (config.task != "chain" && config.task != "chain-long") return std::nullopt;
  const auto problem = parse_chain(question.text);
  if (!problem) return std::nullopt;
  std::vector<std::string> lines;
  std::istringstream in(partial);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  const std::vector<bool> truth = chain_step_truth(*problem, lines);
  return std::all_of(truth.begin(), truth.end(), [](bool each) { return each; });
}

std::vector<Opinion> opinions_of(const Config& config, const Prompts& prompts,
                                 const Question& question, const search::Tree& tree) {
  std::vector<Opinion> opinions;
  const auto prompt = static_cast<std::ptrdiff_t>(tree.items(0).size());
  for (search::NodeId node = 1; node < tree.size(); ++node) {
    const std::vector<std::int32_t> state = tree.state_items(node);
    const Tokens partial(state.begin() + prompt, state.end());
    std::optional<bool> right = steps_are_right(config, question, prompts.text(partial));
    if (!right && tree.has(node, search::kTerminal)) right = answer_is_right(tree, node);
    if (right) opinions.push_back({tree.self_evaluation(node), *right});
  }
  return opinions;
}

}  // namespace tenfold::mcts_dpo
