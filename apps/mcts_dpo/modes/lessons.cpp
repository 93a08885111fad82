#include "mcts_dpo/modes/lessons.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/shuffle.hpp"
#include "mcts_dpo/search/answer_flags.hpp"
#include "mcts_dpo/search/calibration.hpp"

namespace tenfold::mcts_dpo {

Lessons lessons_of_trees(const Config& config, const Round& round,
                         std::span<const SearchedTree> trees, std::uint32_t seed,
                         std::int64_t longest) {
  Lessons lessons;
  double right = 0;
  for (std::size_t p = 0; p < trees.size(); ++p) {
    const SearchedTree& each = trees[p];
    right += right_path(each.tree, each.committed) ? 1 : 0;
    for (search::NodeId node = 1; node < each.tree.size(); ++node) {
      if (!each.tree.has(node, search::kTerminal)) continue;
      lessons.all_right = lessons.all_right && answer_is_right(each.tree, node);
    }
    auto pairs =
        pairs_of(config, each.tree, each.committed, static_cast<std::int64_t>(round.first + p),
                 seed, round.number, longest, lessons.tally);
    std::move(pairs.begin(), pairs.end(), std::back_inserter(lessons.pairs));
  }
  lessons.steps = step_tally(config, trees);
  lessons.success = right / static_cast<double>(trees.size());
  lessons.all_right = lessons.all_right && lessons.success == 1;
  for (const PreferencePair& pair : lessons.pairs) {
    lessons.mean_smoothing += pair.smoothing / static_cast<double>(lessons.pairs.size());
  }
  return lessons;
}

LabelTruth label_truth(const Config& config, const Round& round, const Lessons& lessons,
                       const Prompts& prompts) {
  LabelTruth truth;
  double known = 0;
  for (const PreferencePair& pair : lessons.pairs) {
    const Question& question =
        round.questions[static_cast<std::uint64_t>(pair.question) - round.first];
    const auto prompt = static_cast<std::ptrdiff_t>(prompts.question(question).size());
    const auto right = [&](const std::vector<std::int32_t>& continuation) {
      Tokens partial(pair.prefix.begin() + prompt, pair.prefix.end());
      partial.insert(partial.end(), continuation.begin(), continuation.end());
      return steps_are_right(config, question, prompts.text(partial));
    };
    const std::optional<bool> winner = right(pair.winner), loser = right(pair.loser);
    if (!winner || !loser) continue;
    known += 1;
    truth.winners_right += *winner ? 1 : 0;
    truth.losers_wrong += *loser ? 0 : 1;
  }
  truth.winners_right /= known;
  truth.losers_wrong /= known;
  return truth;
}

Lessons lessons_of_instances(const Config& config, const Round& round, const RoundRecords& records,
                             const Prompts& prompts) {
  Lessons lessons;
  double right = 0, all = 0;
  for (std::size_t p = 0; p < records.questions(); ++p) {
    const std::vector<Solution> solutions = solutions_of(records.finished(p));
    const Solution* best = nullptr;
    const Solution* worst = nullptr;
    for (const Solution& each : solutions) {
      const bool good = each.judgement.verdict == Verdict::kRight;
      right += good ? 1 : 0;
      all += 1;
      if (good && best == nullptr) best = &each;
      if (!good && worst == nullptr) worst = &each;
    }
    if (best == nullptr || worst == nullptr) continue;
    PreferencePair pair;
    pair.question = static_cast<std::int64_t>(round.first + p);
    pair.prefix = prompts.question(round.questions[p]);
    pair.winner = best->tokens;
    pair.loser = worst->tokens;
    pair.smoothing = config.smoothing == "constant" ? config.smoothing_constant : 0;
    pair.sampled_winner = best->log_prob;
    pair.gap = best->judgement.reward - worst->judgement.reward;
    lessons.pairs.push_back(std::move(pair));
  }
  lessons.success = right / std::max(all, 1.0);
  lessons.all_right = lessons.success == 1;
  return lessons;
}

Lessons lessons_of_experts(const Round& round, const RoundRecords& records,
                           const Prompts& prompts) {
  Lessons lessons;
  double right = 0, all = 0;
  for (std::size_t p = 0; p < records.questions(); ++p) {
    const Tokens prompt = prompts.question(round.questions[p]);
    std::set<Tokens> seen;
    for (const Solution& each : solutions_of(records.finished(p))) {
      all += 1;
      if (each.judgement.verdict != Verdict::kRight) continue;
      right += 1;
      if (!each.ended || !seen.insert(each.tokens).second) continue;
      Imitation sequence;
      sequence.tokens = prompt;
      sequence.prompt = static_cast<std::int64_t>(prompt.size());
      sequence.tokens.insert(sequence.tokens.end(), each.tokens.begin(), each.tokens.end());
      lessons.sequences.push_back(std::move(sequence));
    }
  }
  lessons.success = right / std::max(all, 1.0);
  lessons.all_right = lessons.success == 1;
  return lessons;
}

Imitation imitation_of(const Prompts& prompts, const Question& question) {
  Imitation sequence;
  sequence.tokens = prompts.question(question);
  sequence.prompt = static_cast<std::int64_t>(sequence.tokens.size());
  const Tokens solution = prompts.solution(question);
  sequence.tokens.insert(sequence.tokens.end(), solution.begin(), solution.end());
  return sequence;
}

namespace {

std::vector<std::size_t> shuffled(std::size_t count, std::uint32_t seed, std::uint32_t what,
                                  std::uint64_t step) {
  return base::shuffled(count, base::Stream(seed, base::Purpose::kDataOrder, what, step));
}

// Where lessons of one question begin, and behind the last.
std::vector<std::size_t> groups_of(const Lessons& lessons) {
  std::vector<std::size_t> begins;
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    const bool goes_on = i > 0 && i < lessons.pairs.size() &&
                         lessons.pairs[i].question == lessons.pairs[i - 1].question;
    if (!goes_on) begins.push_back(i);
  }
  begins.push_back(lessons.size());
  return begins;
}

}  // namespace

Lessons lessons_of_teacher(const std::vector<Imitation>& teacher, std::uint64_t round,
                           std::size_t count, std::uint32_t seed) {
  Lessons lessons;
  const std::size_t rounds = std::max<std::size_t>(1, teacher.size() / count);
  const auto order = shuffled(teacher.size(), seed, 1, round / rounds);
  const std::size_t begin = static_cast<std::size_t>(round % rounds) * count;
  for (std::size_t i = begin; i < std::min(begin + count, order.size()); ++i) {
    lessons.sequences.push_back(teacher[order[i]]);
  }
  return lessons;
}

std::vector<std::vector<std::size_t>> plan_updates(const Config& config, const Lessons& lessons,
                                                   std::uint32_t seed, std::uint64_t round) {
  const std::vector<std::size_t> begins = groups_of(lessons);
  const auto size = static_cast<std::size_t>(config.batch);
  std::vector<std::vector<std::size_t>> updates;
  for (std::int64_t pass = 0; pass < config.passes; ++pass) {
    std::vector<std::size_t> order;
    const auto step = round << 20U | static_cast<std::uint64_t>(pass);
    for (const std::size_t group : shuffled(begins.size() - 1, seed, 2, step)) {
      for (std::size_t i = begins[group]; i < begins[group + 1]; ++i) order.push_back(i);
    }
    for (std::size_t at = 0; at < order.size(); at += size) {
      const std::size_t end = std::min(at + size, order.size());
      updates.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(at),
                           order.begin() + static_cast<std::ptrdiff_t>(end));
    }
  }
  return updates;
}

}  // namespace tenfold::mcts_dpo
