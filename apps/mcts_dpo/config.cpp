#include "mcts_dpo/config.hpp"

#include <cstdlib>

#include "mcts_dpo/presets.hpp"
#include "mcts_dpo/search/search_rules.hpp"

namespace tenfold::mcts_dpo {

namespace {

const std::vector<std::string> kLearning{"iterate", "sft"};

// Logits are divided by it: what is smaller than samplers take would overflow after the start.
std::string check_temperature(const std::string& text) {
  const double value = std::strtod(text.c_str(), nullptr);
  return value == 0 || value >= 1e-6
             ? ""
             : "is too close to 0: give 0 for the likeliest token, or at least 0.000001";
}

void declare_model(Config& c, cli::OptionTable& table) {
  table.group("model", "Model");
  table.add("model.model", &c.model, "Hugging Face directory; empty: a fresh model").common();
  table
      .add("model.strict", &c.strict,
           "tensors of its folder that the model has no place for are an error")
      .only_with("model.model")
      .not_a_result();
  table.add("model.family", &c.family, "kind of a fresh model").choices({"llama", "gpt2"});
  table.add("model.layers", &c.layers, "layers of a fresh model").range(1, 1024);
  table.add("model.width", &c.width, "its hidden size").range(1, 65536);
  table.add("model.heads", &c.heads, "its attention heads").range(1, 4096);
  table.add("model.kv-heads", &c.kv_heads, "its heads of keys and values; 0: as many")
      .range(0, 4096);
  table.add("model.feed-forward", &c.feed_forward, "its feed-forward width").range(1, 1 << 20);
  table.add("model.positions", &c.positions, "its longest sequence").range(2, 1 << 20);
  table.add("model.tied-embeddings", &c.tied_embeddings, "its head is its embedding");
  table.add("model.export", &c.export_to, "directory for the model at the end")
      .alias("export")
      .not_a_result()
      .one_a_seed()
      .common();
  table.add("model.export-type", &c.export_type, "type of exported weights")
      .choices({"float32", "bfloat16"})
      .not_a_result();
  table
      .add("model.lora-rank", &c.lora_rank,
           "rank of low-rank adapters that learn in place of the model; 0: none")
      .range(0, 65536);
  table.add("model.lora-alpha", &c.lora_alpha, "their scale times their rank")
      .above(0)
      .at_most(1e6);
  table.add("model.lora-targets", &c.lora_targets,
            "modules that get one, as PEFT names them: q_proj,v_proj; all: every one");
  table
      .add("model.export-adapters", &c.export_adapters_to,
           "directory to write the adapters to at the end, as PEFT's")
      .alias("export-adapters")
      .only_with("model.lora-rank")
      .not_a_result()
      .one_a_seed();
  table
      .add("model.engine", &c.engine,
           "what decodes: fused (own kernels, CPU: the same text whatever the batch), torch, auto: "
           "fused on the CPU")
      .choices({"auto", "fused", "torch"});
  table
      .add("model.decode-type", &c.decode_type,
           "type of the decoder's weights; torch computes in it, too, fused always in float32")
      .choices({"float32", "bfloat16"});
  table.add("model.cache-mib", &c.cache_mib, "memory for keys and values, per rank")
      .unit("MiB")
      .range(1, 1 << 20)
      .not_a_result();
}

void declare_data(Config& c, cli::OptionTable& table) {
  table.group("data", "Questions");
  table.add("data.task", &c.task, "questions")
      .choices({"chain", "chain-long", "commonsense", "files"})
      .common();
  table
      .add("data.flip", &c.flip,
           "share of 'finds' and 'loses' that the teacher of --mode sft solves the wrong way round")
      .only_with("data.task", {"chain", "chain-long"})
      .range(0, 1);
  table.add("data.verbose-text", &c.verbose_text, "names and items in word problems")
      .only_with("data.task", {"chain", "chain-long"});
  table.add("data.train-file", &c.train_file, "questions to learn from")
      .only_with("data.task", {"files"});
  table.add("data.eval-file", &c.eval_file, "questions to be measured by")
      .only_with("data.task", {"files"});
  table.add("data.format", &c.format, "of both files")
      .only_with("data.task", {"files"})
      .choices({"auto", "jsonl", "gsm8k", "math", "sciq", "arc"});
  table.add("data.skip-bad-rows", &c.skip_bad_rows, "bad rows to skip before it is an error")
      .range(0, 1e9);
  table.add("data.allow-leak", &c.allow_leak, "questions of one file may be in the other");
  table
      .add("data.eval-questions", &c.eval_questions,
           "questions of an evaluation, spread over a file; 0: all of it, 300 generated ones")
      .range(0, 1e7);
  table.add("data.eval-split", &c.eval_split, "part of a generated task: tune on validation")
      .choices({"test", "validation"});

  table.group("prompt", "Prompts");
  table.add("prompt.question", &c.prompt_question,
            "text of a question: {question}, or {text} and {choices}; \\n is a new line");
  table.add("prompt.answer", &c.prompt_answer, "text between it and the solution");
  table.add("prompt.evaluation", &c.prompt_evaluation,
            "text of a self-evaluation, up to the letter: {question}, {reference}, {partial}, "
            "{options}");
  table.add("prompt.reference-text", &c.prompt_reference, "what stands there for {reference}");
  table.add("prompt.right-option", &c.right_option, "text of the option that says right");
  table.add("prompt.wrong-option", &c.wrong_option, "text of the other one");
  table.add("prompt.right-letter", &c.right_letter, "letter of the option that says right")
      .choices({"A", "B"});
  table
      .add("prompt.step-rule", &c.step_rule,
           "where a step ends: newline, sentence, token(N), delimiter(REGEX), official")
      .alias("step-rule");
  table.add("prompt.step-tokens", &c.step_tokens, "longest step").unit("tokens").range(1, 1 << 20);
  table.add("prompt.solution-tokens", &c.solution_tokens, "longest solution")
      .unit("tokens")
      .range(1, 1 << 20);
}

void declare_search(Config& c, cli::OptionTable& table) {
  table.group("search", "Tree search");
  table.add("search.iterations", &c.iterations_per_root, "search iterations before each step (K)")
      .range(1, 1e9);
  table.add("search.first-root-factor", &c.first_root_factor, "times as many before the first")
      .range(1, 1e6);
  table.add("search.root-breadth", &c.root_breadth, "samples of first steps (b1)").range(1, 4096);
  table.add("search.breadth", &c.breadth, "samples of later steps (b2)").range(1, 4096);
  table.add("search.depth-limit", &c.depth_limit, "most steps of a solution").range(1, 1000);
  table.add("search.c-puct", &c.c_puct, "weight of the exploration term").range(0, 1e6);
  table.add("search.prior-exponent", &c.prior_exponent, "lambda: length penalty of priors")
      .range(0, 100);
  table
      .add("search.prior", &c.prior,
           "code: exp(log p / length^lambda); paper: p / length^lambda (section 3.1)")
      .choices({"code", "paper"});
  table.add("search.root-temperature", &c.root_temperature, "of first steps")
      .range(0, 100)
      .check(check_temperature);
  table.add("search.temperature", &c.temperature, "of --temperature-share of later steps")
      .range(0, 100)
      .check(check_temperature);
  table
      .add("search.temperature-share", &c.temperature_share,
           "share of later samples at --temperature; the others are drawn at 1")
      .range(0, 1);
  table.add("search.top-k", &c.top_k, "most likely tokens that a sample is drawn from; 0: all")
      .range(0, 1 << 24);
  table.add("search.top-p", &c.top_p, "their least joint probability").above(0).at_most(1);
  table
      .add("search.commit-temperature", &c.commit_temperature,
           "of the choice of a step after search; 0: the best")
      .range(0, 100);
  table.add("search.force-terminate", &c.force_terminate,
            "the step at the depth limit runs to the end of the solution");
  table.add("search.early-stop", &c.early_stop,
            "leave a root when no other step can still become the best");
  table
      .add("search.compat", &c.compat,
           "official: visits of the root, first choices and ties as the published code counts them")
      .choices({"none", "official"});
  table.add("search.inject-solution", &c.inject_solution,
            "the given solution's next step is a candidate, too (the code's include_gt)");
  table.add("search.trees-in-flight", &c.trees_in_flight, "trees that a rank searches at a time")
      .range(1, 1 << 20)
      .not_a_result();
  declare_search_rules(c, table);
  table
      .add("search.slice", &c.slice,
           "questions between two points where a checkpoint can be taken; 0: a whole round")
      .range(0, 1e9)
      .not_a_result();
  table
      .add("search.save-trees", &c.save_trees,
           "rounds whose trees and pairs RUN/trees keeps: all, none, or N: every Nth and the last")
      .not_a_result();
  table
      .add(
          "search.self-evaluation", &c.self_evaluation,
          "C(s): off; forced: P(right) / (P(right) + P(wrong)) of the next token; official: greedy "
          "decoding, not normalised")
      .choices({"off", "forced", "official"});
  table.add("search.reference", &c.reference, "what a self-evaluation is shown of the answer")
      .choices({"solution", "answer", "none"});
  table.group("reward", "Reward");
  table.add("reward.depth-damp", &c.depth_damp, "divide C by max(depth - 3, 1) (the code)");
  table.add("reward.novelty", &c.novelty,
            "1.25 for a right solution that is not the given one (the code)");
  table.add("reward.graded-choices", &c.graded_choices,
            "graded outcomes of multiple choice (code)");
  table.add("reward.unparsable", &c.unparsable_reward, "outcome of a solution without an answer")
      .range(-1, 1);
  table.add("reward.percent-leniency", &c.percent_leniency,
            "100 times or a hundredth of the right number passes (the code)");
  table.add("reward.symbolic-checker", &c.symbolic_checker,
            "ask SymPy, in a Python process a rank, whether answers that differ are the same "
            "expression");
  table
      .add("reward.symbolic-timeout", &c.symbolic_timeout,
           "time for two answers; without an answer they are different")
      .unit("s")
      .only_with("reward.symbolic-checker", {"true"})
      .range(0.01, 3600);
}

void declare_learning(Config& c, cli::OptionTable& table) {
  table.group("pair", "Pairs");
  table
      .add("pair.loser", &c.loser, "which of the worse siblings: worst, second best, random (code)")
      .choices({"worst", "second", "random"});
  table.add("pair.min-gap", &c.min_gap, "least difference of Q").range(0, 1e6);
  table.add("pair.require-right-path", &c.require_right_path,
            "leave out trees whose committed solution is wrong");
  table.add("pair.most", &c.most_pairs, "most pairs of a tree").range(1, 1e6);

  table.group("preference", "Preference loss");
  table.add("preference.loss", &c.loss, "DPO's sigmoid, or IPO's square")
      .choices({"sigmoid", "ipo"});
  table.add("preference.beta", &c.beta, "beta").above(0).at_most(1e3);
  table.add("preference.smoothing", &c.smoothing, "label smoothing: visit counts, constant, none")
      .choices({"visits", "constant", "none"});
  table.add("preference.smoothing-constant", &c.smoothing_constant, "alpha")
      .only_with("preference.smoothing", {"constant"})
      .range(0, 0.5);
  table.add("preference.nll", &c.nll, "weight of the winner's negative log-probability per token")
      .range(0, 1e3);
  table.add("preference.length-power", &c.length_power, "divide log-ratios by length to this power")
      .only_with("preference.loss", {"sigmoid"})
      .range(0, 4);
  table.add("preference.packed", &c.packed, "compute prefixes that a tree's pairs share once")
      .not_a_result();

  table.group("learn", "Learning");
  table.add("learn.method", &c.method, "what a round learns from")
      .choices({"mcts-dpo", "instance-dpo", "expert-iteration", "sft-continue"})
      .common();
  table.add("learn.rounds", &c.rounds, "rounds of search and learning").range(1, 1e9);
  table.add("learn.questions", &c.questions, "questions of a round").range(1, 1e7);
  table.add("learn.passes", &c.passes, "passes over a round's pairs").range(1, 1e4);
  table.add("learn.batch", &c.batch, "pairs or sequences of an update").range(1, 1e6);
  table
      .add("learn.policy-refresh", &c.policy_refresh,
           "rounds between copies of the policy into the one that searches; 0: never (offline)")
      .range(0, 1e9);
  table
      .add("learn.learners", &c.learners,
           "so many ranks learn while the others search the next round's questions with the policy "
           "of the round before; 0: all ranks do both, in turns")
      .alias("learners")
      .range(0, 1 << 20);
  table.add("learn.samples", &c.samples, "solutions sampled of each question")
      .only_with("learn.method", {"instance-dpo", "expert-iteration"})
      .range(1, 4096);
  table
      .add("learn.most-empty-rounds", &c.most_empty_rounds,
           "rounds in a row without a pair before the run ends")
      .range(1, 1e9);
  table
      .add("learn.max-winner-drop", &c.max_winner_drop,
           "leave out the rest of a round's updates when winners fall so far below the reference; "
           "0: never")
      .unit("nats")
      .range(0, 1e9);
  table.add("learn.lr", &c.lr, "step size").above(0).at_most(10).common();
  table.add("learn.lr-schedule", &c.lr_schedule, "after the warm-up")
      .choices({"constant", "cosine"});
  table.add("learn.lr-final", &c.lr_final, "where the cosine ends").range(0, 10);
  table.add("learn.lr-cycle", &c.lr_cycle, "updates of a cycle of it; 0: the run").range(0, 1e12);
  table.add("learn.lr-warmup", &c.lr_warmup, "updates of a linear warm-up").range(0, 1e12);
  table.add("learn.lr-warmup-share", &c.lr_warmup_share, "or the share of the run that it takes")
      .at_least(0)
      .below(1);
  table.add("learn.beta1", &c.beta1, "AdamW").at_least(0).below(1);
  table.add("learn.beta2", &c.beta2, "AdamW").at_least(0).below(1);
  table.add("learn.weight-decay", &c.weight_decay, "of matrices, decoupled").range(0, 10);
  table.add("learn.clip", &c.clip, "largest norm of the gradient; 0: any").range(0, 1e9);
  table
      .add("learn.recompute", &c.recompute,
           "compute a layer's activations again in the backward pass instead of keeping them")
      .not_a_result();
  table
      .add("learn.type", &c.learn_type,
           "type that learning computes in; bfloat16: parameters, gradients and moments stay "
           "float32")
      .alias("learn-type")
      .choices({"float32", "bfloat16"});
  table.add("learn.logits-chunk", &c.logits_chunk, "rows whose logits exist at a time")
      .range(1, 1 << 24)
      .not_a_result();

  table.group("sft", "Supervised fine-tuning");
  table.add("sft.steps", &c.sft_steps, "updates of --mode sft").range(1, 1e12);
  table.add("sft.examples", &c.sft_examples, "examples of a generated task").range(1, 1e8);
  table
      .add("sft.verdicts", &c.verdicts,
           "share of examples that ask whether a partial solution is right, half of them spoilt")
      .alias("verdicts")
      .at_least(0)
      .below(1);
  table
      .add("sft.verdict-forms", &c.verdict_forms,
           "how they ask. asked: with --reference and --right-letter; all: with solution, answer "
           "or nothing to refer to, either letter for right, in turns")
      .choices({"asked", "all"});
}

void declare_evaluation(Config& c, cli::OptionTable& table) {
  table.group("eval", "Evaluation");
  table
      .add("eval.every", &c.eval_every,
           "updates (sft) or rounds (iterate) between evaluations; 0: every round, or at the end")
      .alias("eval-every")
      .range(0, 1e12);
  table
      .add(
          "eval.by", &c.eval_by,
          "of --mode evaluate: one greedy solution; the majority and pass@k of --eval-samples; the "
          "search's committed solution")
      .alias("eval-by")
      .choices({"greedy", "samples", "search"});
  table.add("eval.samples", &c.eval_samples, "solutions of each question")
      .alias("eval-samples")
      .range(1, 1 << 16);
  table.add("eval.temperature", &c.eval_temperature, "of those samples")
      .alias("eval-temperature")
      .range(0, 100)
      .check(check_temperature);
}

}  // namespace

void Config::declare(cli::OptionTable& table) {
  table.group("mode", "Mode");
  table
      .add("mode.mode", &mode,
           "imitate solutions; search and learn in turns; measure; theorems 3.1 and 3.2 on a table")
      .choices({"sft", "iterate", "evaluate", "theory"})
      .common();
  declare_model(*this, table);
  declare_data(*this, table);
  declare_search(*this, table);
  declare_learning(*this, table);
  declare_evaluation(*this, table);
  declare_theory(table);
  declare_presets(table);
}

}  // namespace tenfold::mcts_dpo
