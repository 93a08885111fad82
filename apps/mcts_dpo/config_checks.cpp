// What options must be together, and what follows from them.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "base/text.hpp"
#include "mcts_dpo/config.hpp"
#include "mcts_dpo/data/steps.hpp"
#include "mcts_dpo/search/search_rules.hpp"

namespace tenfold::mcts_dpo {

using base::Code;
using base::Error;

void Config::validate() const {
  const auto refuse = [](const std::string& what, const std::string& hint) {
    throw Error(Code::kUsage, what, hint);
  };
  if (mode == "theory") return validate_theory();
  if (task == "files" && mode != "evaluate" && train_file.empty()) {
    refuse("--task files needs --train-file", "Name the file of questions to learn from");
  }
  if (task == "files" && eval_file.empty()) {
    refuse("--task files needs --eval-file", "Name the file of questions to be measured by");
  }
  if (task == "files" && model.empty()) {
    refuse("--task files needs --model",
           "A fresh model has a vocabulary for generated tasks alone: name a directory");
  }
  if (mode == "evaluate" && model.empty()) {
    refuse("--mode evaluate needs --model", "Name the directory of the model to measure");
  }
  if (mode == "iterate" && model.empty()) {
    refuse("--mode iterate needs --model",
           "Train one with --mode sft --export DIR, then give --model DIR");
  }
  static_cast<void>(parse_step_rules(step_rule));
  validate_search_rules(*this);
  if (loss == "ipo" && smoothing != "none") {
    refuse("--loss ipo has no label smoothing", "Add --smoothing none");
  }
  if (right_option.empty() || wrong_option.empty() || right_option == wrong_option) {
    refuse("--right-option and --wrong-option must be two different texts", "yes and no, say");
  }
  if (verdicts > 0 && task == "files") {
    refuse("--verdicts needs a generated task", "Only there is it known which steps are right");
  }
  if (!export_adapters_to.empty() && lora_rank == 0) {
    refuse("--export-adapters needs --lora-rank", "Without adapters use --export");
  }
  if (lr_schedule == "constant" && lr_final != 0) {
    refuse("--lr-final means nothing with --lr-schedule constant", "Add --lr-schedule cosine");
  }
  if (lr_warmup_share > 0 && (lr_warmup > 0 || lr_cycle > 0)) {
    refuse("--lr-warmup-share is of the whole run: it goes with neither --lr-warmup nor --lr-cycle",
           "Give the one or the other");
  }
  const auto needs = [&](const char* option, const std::string& text,
                         std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
      if (text.find(name) != std::string::npos) return;
    }
    refuse(
        fmt::format("--prompt.{} '{}' has no {}: every prompt would be the same", option,
                    base::printable(text), fmt::join(names, " or ")),
        "Write the placeholder where its text belongs; a number of questions is --learn.questions");
  };
  needs("question", prompt_question, {"{question}", "{text}"});
  needs("evaluation", prompt_evaluation, {"{question}"});
  needs("evaluation", prompt_evaluation, {"{partial}"});
  if (learners > 0 && method == "sft-continue") {
    refuse("--method sft-continue searches nothing, so --learners has no use", "Leave it at 0");
  }
  if (learners > 0 && policy_refresh > 1) {
    refuse("--learners needs --policy-refresh 1 or 0",
           "Ranks that search get the policy after every round");
  }
  static_cast<void>(tree_interval(save_trees));
  if (step_tokens > solution_tokens) {
    refuse("--step-tokens is larger than --solution-tokens", "A step is a part of a solution");
  }
}

int learning_ranks(const Config& config, int ranks) {
  if (config.learners == 0 || config.mode != "iterate") return ranks;
  if (config.learners >= ranks) {
    throw Error(
        Code::kUsage,
        fmt::format("--learners {} of {} ranks leaves none that searches", config.learners, ranks),
        "Start more ranks, or leave --learners at 0: all ranks do both, in turns");
  }
  return static_cast<int>(config.learners);
}

std::int64_t tree_interval(const std::string& save_trees) {
  if (save_trees == "all") return 1;
  if (save_trees == "none") return 0;
  std::int64_t every = 0;
  const char* const last = save_trees.data() + save_trees.size();
  const auto [end, failure] = std::from_chars(save_trees.data(), last, every);
  if (failure != std::errc() || end != last || every < 1) {
    throw Error(
        Code::kUsage,
        fmt::format("--save-trees '{}' is no number of rounds", base::printable(save_trees)),
        "all, none, or a whole number from 1");
  }
  return every;
}

double learning_rate(const Config& config, const UpdatePlace& place) {
  const bool cycles = config.lr_cycle > 0;
  const std::int64_t at = cycles ? place.step % config.lr_cycle : place.step;
  if (at < config.lr_warmup) {
    return config.lr * static_cast<double>(at + 1) / static_cast<double>(config.lr_warmup);
  }
  if (place.before < config.lr_warmup_share) {
    return config.lr * std::min(1.0, place.after / config.lr_warmup_share);
  }
  if (config.lr_schedule == "constant") return config.lr;
  const double done =
      cycles
          ? static_cast<double>(at - config.lr_warmup) /
                static_cast<double>(std::max<std::int64_t>(config.lr_cycle - config.lr_warmup, 1))
          : std::clamp((place.before - config.lr_warmup_share) / (1 - config.lr_warmup_share), 0.0,
                       1.0);
  return config.lr_final +
         (config.lr - config.lr_final) * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

}  // namespace tenfold::mcts_dpo
