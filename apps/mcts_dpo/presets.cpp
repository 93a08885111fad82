#include "mcts_dpo/presets.hpp"

#include <string>
#include <utility>
#include <vector>

#include "cli/preset_values.hpp"

namespace tenfold::mcts_dpo {

namespace {

using Values = cli::PresetValues;

using cli::with;

// The small experiment: notes, section 9.
Values small_search() {
  return {{"mode.mode", "iterate", "what the preset is for"},
          {"search.iterations", "5", "section 4, K"},
          {"search.root-breadth", "5", "section 4, b1 of arithmetic"},
          {"search.breadth", "3", "section 4, b2 of arithmetic"},
          {"search.depth-limit", "7", "notes, section 9: a clause a step, and the answer"},
          {"learn.rounds", "12", "notes, section 9.4"},
          {"learn.questions", "96", "notes, section 9.4"},
          {"learn.passes", "2", "notes, section 9"},
          {"learn.batch", "16", "notes, section 9"},
          {"preference.beta", "0.1", "section 4"},
          {"learn.lr", "1e-4",
           "notes, section 9: of 1, 1.5 and 2e-4 the steadiest (validation questions, seeds 101 to "
           "103)"}};
}

Values small_sft() {
  return {{"mode.mode", "sft", "what the preset is for"},
          {"learn.batch", "48", "notes, section 9.2"},
          {"sft.examples", "6000", "notes, section 9.2"},
          {"learn.weight-decay", "0.01", "notes, section 9.2"},
          {"learn.lr", "1e-3", "notes, section 9.2"},
          {"learn.lr-schedule", "cosine", "notes, section 9.2"},
          {"learn.lr-warmup", "50", "notes, section 9.2"}};
}

// What both papers' tasks have in common; (code) marks the official scripts.
Values paper() {
  return {{"mode.mode", "iterate", "what the preset is for"},
          {"data.task", "files", "GSM8K and MATH, or ARC, OpenBookQA, CommonsenseQA"},
          {"prompt.question", "QUESTION: {question}\\n\\n", "(code)"},
          {"prompt.answer", "ANSWER:", "(code)"},
          {"prompt.step-rule", "official", "(code)"},
          {"search.iterations", "5", "section 4, K"},
          {"search.self-evaluation", "forced", "section 3.1; normalised over both letters (ours)"},
          {"search.reference", "solution", "section 4.3"},
          {"preference.beta", "0.1", "section 4"},
          {"learn.batch", "32", "section 4"},
          {"learn.passes", "1", "(code)"},
          {"learn.questions", "128", "ours: as many trees as search at a time"},
          {"data.eval-questions", "0", "all of the file"},
          {"model.cache-mib", "4096", "ours: 32 768 tokens of Mistral-7B in bfloat16"},
          {"learn.weight-decay", "0.05", "(code)"},
          {"learn.lr-schedule", "cosine", "(code)"}};
}

Values official(Values values) {
  return with(std::move(values), {{"search.compat", "official", "what the preset is for"},
                                  {"learn.questions", "64", "(code): 64 trees an update"},
                                  {"learn.batch", "512", "(code): all of their pairs, 8 a tree"},
                                  {"search.iterations", "64", "(code)"},
                                  {"search.first-root-factor", "4", "(code)"},
                                  {"search.self-evaluation", "official", "(code)"},
                                  {"reward.depth-damp", "true", "(code)"},
                                  {"pair.loser", "random", "(code): it overrides the worst"}});
}

Values paper_math() {
  return with(paper(), {{"search.root-breadth", "5", "section 4, b1"},
                        {"search.breadth", "3", "section 4, b2"},
                        {"search.depth-limit", "4", "section 4"},
                        {"prompt.step-tokens", "128", "(code)"},
                        {"prompt.solution-tokens", "512", "(code)"},
                        {"learn.rounds", "58", "one epoch of GSM8K's 7473 questions"},
                        {"learn.lr-warmup-share", "0.03", "(code)"},
                        {"learn.lr", "1e-6", "(code)"}});
}

Values paper_choices() {
  return with(paper(), {{"search.root-breadth", "4", "section 4, b1"},
                        {"search.breadth", "2", "section 4, b2"},
                        {"search.depth-limit", "3", "section 4"},
                        {"prompt.step-tokens", "32", "(code)"},
                        {"prompt.solution-tokens", "256", "(code)"},
                        {"learn.rounds", "9", "one epoch of ARC-Challenge's 1119 questions"},
                        {"learn.lr-warmup-share", "0.2", "(code)"},
                        {"learn.lr", "2e-6", "(code)"}});
}

}  // namespace

void declare_presets(cli::OptionTable& table) {
  table.preset({"online", "step-level preferences of the present policy's search (default)",
                small_search()});
  table.preset({"online-nll", "the same, and the winner's likelihood",
                with(small_search(), {{"preference.beta", "0.5", "notes, section 9"},
                                      {"preference.nll", "1", "notes, section 9"},
                                      {"learn.lr", "1.5e-4", "as online, with the same three"}})});
  table.preset({"offline", "step-level preferences of the first policy's search",
                with(small_search(), {{"learn.policy-refresh", "0", "what the preset is for"}})});
  table.preset({"instance", "preferences between whole solutions",
                with(small_search(), {{"learn.method", "instance-dpo", "what the preset is for"},
                                      {"learn.samples", "8", "notes, section 9"}})});
  table.preset(
      {"expert-iteration", "imitate sampled solutions that were right",
       with(small_search(), {{"learn.method", "expert-iteration", "what the preset is for"},
                             {"learn.samples", "6", "notes, section 9"}})});
  table.preset({"sft-clean", "a small model that learns word problems from right solutions",
                with(small_sft(), {{"sft.steps", "2000", "notes, section 9.2"},
                                   {"learn.lr-final", "3e-4", "notes, section 9.2"},
                                   {"learn.lr-cycle", "400", "notes, section 9.2"}})});
  table.preset({"sft-flawed", "the same model spoilt by a teacher with two verbs wrong",
                with(small_sft(), {{"data.flip", "0.6", "notes, section 9.2"},
                                   {"sft.steps", "900", "notes, section 9.2"},
                                   {"learn.lr-final", "1e-4", "notes, section 9.2, its last cycle"},
                                   {"learn.lr-cycle", "300", "notes, section 9.2"}})});
  table.preset({"theory",
                "theorems 3.1 and 3.2 on a table of answers, in milliseconds",
                {{"mode.mode", "theory", "what the preset is for"},
                 {"preference.beta", "1", "notes, section 11, T"},
                 {"preference.smoothing", "constant", "a table has no visits"},
                 {"preference.smoothing-constant", "0.1", "notes, section 11, T"},
                 {"learn.rounds", "12", "above n + 1 of theorem 3.2 for the default numbers n"}}});
  table.preset({"paper-math", "GSM8K and MATH with Mistral-7B, as the paper says", paper_math()});
  table.preset(
      {"paper-choices", "ARC, OpenBookQA, CommonsenseQA, as the paper says", paper_choices()});
  table.preset({"official-math", "GSM8K and MATH, as the published scripts do",
                official(with(paper_math(), {{"search.root-breadth", "2", "(code)"},
                                             {"search.breadth", "2", "(code)"},
                                             {"search.depth-limit", "3", "(code)"},
                                             {"learn.rounds", "117", "one epoch, as above"},
                                             {"search.inject-solution", "true", "(code)"},
                                             {"reward.novelty", "true", "(code)"}}))});
  table.preset({"official-choices", "multiple choice, as the published scripts do",
                official(with(paper_choices(), {{"search.root-breadth", "4", "(code)"},
                                                {"search.breadth", "2", "(code)"},
                                                {"search.depth-limit", "4", "(code)"},
                                                {"search.force-terminate", "false", "(code)"},
                                                {"learn.rounds", "18", "one epoch, as above"},
                                                {"reward.graded-choices", "true", "(code)"}}))});
}

}  // namespace tenfold::mcts_dpo
