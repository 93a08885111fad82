// What a run can be told, and the presets with the source of each value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/option_table.hpp"

namespace tenfold::mcts_dpo {

/// Section numbers in the help are of Xie et al. 2024 (arXiv 2405.00451v2). Defaults are the preset
/// `online`.
struct Config {
  std::string mode = "iterate";  ///< sft | iterate | evaluate | theory
  // model
  std::string model;  ///< a Hugging Face directory; empty: a fresh one of the shape below
  std::string family = "llama";
  std::int64_t layers = 2, width = 64, heads = 4, kv_heads = 0, feed_forward = 168;
  std::int64_t positions = 256;
  bool tied_embeddings = false;
  bool strict = false;
  std::string export_to;
  std::string export_type = "float32";
  std::int64_t lora_rank = 0;
  double lora_alpha = 16;
  std::string lora_targets = "all";
  std::string export_adapters_to;
  std::string engine = "auto";
  std::string decode_type = "float32";
  std::int64_t cache_mib = 64;
  // data
  std::string task = "chain";
  double flip = 0;
  bool verbose_text = false;
  std::string train_file, eval_file, format = "auto";
  std::int64_t skip_bad_rows = 0;
  bool allow_leak = false;
  std::int64_t eval_questions = 0;
  std::string eval_split = "test";
  // prompt
  std::string prompt_question = "{question}\\n", prompt_answer;
  std::string prompt_evaluation =
      "QUESTION: {question}\\n\\n{reference}PARTIAL SOLUTION:\\n{partial}\\n\\n"
      "Is every line of it right ? {options}\\nANSWER: The answer is";
  std::string prompt_reference = "REFERENCE:\\n{reference}\\n\\n";
  std::string right_option = "yes", wrong_option = "no";
  std::string right_letter = "B";
  // steps
  std::string step_rule = "newline";
  std::int64_t step_tokens = 24;
  std::int64_t solution_tokens = 96;
  // search
  std::int64_t iterations_per_root = 5, first_root_factor = 1;
  std::int64_t root_breadth = 5, breadth = 3, depth_limit = 7;
  double c_puct = 1;
  double prior_exponent = 1.25;
  std::string prior = "code";
  double root_temperature = 1, temperature = 1, temperature_share = 0.75;
  std::int64_t top_k = 0;
  double top_p = 1;
  double commit_temperature = 0;
  bool force_terminate = true;
  bool early_stop = false;
  std::string compat = "none";
  bool inject_solution = false;
  std::int64_t trees_in_flight = 64;
  std::int64_t slice = 0;
  std::string save_trees = "all";
  std::string virtual_mode = "none";
  std::int64_t paths_in_flight = 1, root_searches = 1;
  std::string outcomes = "known";
  double dedup_similarity = 0;
  // self-evaluation and reward
  std::string self_evaluation = "off";
  std::string reference = "solution";
  bool depth_damp = false, novelty = false, graded_choices = false;
  double unparsable_reward = -1;
  bool percent_leniency = false;
  bool symbolic_checker = false;
  double symbolic_timeout = 5;
  // pairs
  std::string loser = "worst";
  double min_gap = 1e-6;
  bool require_right_path = true;
  std::int64_t most_pairs = 8;
  // preference loss
  std::string loss = "sigmoid";
  double beta = 0.1;
  std::string smoothing = "visits";
  double smoothing_constant = 0.1;
  double nll = 0;
  double length_power = 0;
  bool packed = true;
  // learning
  std::string method = "mcts-dpo";
  std::int64_t rounds = 12, questions = 96, passes = 2, batch = 16;
  std::int64_t policy_refresh = 1;
  std::int64_t learners = 0;
  std::int64_t samples = 8;
  std::int64_t most_empty_rounds = 3;
  double max_winner_drop = 0;
  double lr = 1e-4, lr_final = 0;
  std::string lr_schedule = "constant";
  std::int64_t lr_cycle = 0, lr_warmup = 0;
  double lr_warmup_share = 0;
  double beta1 = 0.9, beta2 = 0.95, weight_decay = 0, clip = 1;
  std::int64_t logits_chunk = 1024;
  bool recompute = false;
  std::string learn_type = "float32";
  // supervised fine-tuning
  std::int64_t sft_steps = 2000, sft_examples = 6000;
  double verdicts = 0;
  std::string verdict_forms = "asked";
  // evaluation
  std::int64_t eval_every = 0;
  std::string eval_by = "greedy";
  std::int64_t eval_samples = 16;
  double eval_temperature = 1;
  // theory
  std::vector<std::int64_t> theory_answers{2, 4, 8};
  std::int64_t theory_repeats = 1000;
  double theory_epsilon = 0.02;

  void declare(cli::OptionTable& table);
  /// Checks options that need several at once. Throws Code::kUsage.
  void validate() const;

 private:
  void declare_theory(cli::OptionTable& table);
  void validate_theory() const;
};

/// Whether a run of --mode iterate keeps the policy that it began with: to compare with it, or to
/// search with it in every round.
inline bool keeps_reference(const Config& config) {
  return config.method == "mcts-dpo" || config.method == "instance-dpo" ||
         config.policy_refresh == 0;
}
/// How many of so many ranks learn (--learners): the others search. Throws Code::kUsage.
int learning_ranks(const Config& config, int ranks);
/// Of --save-trees: rounds between two whose trees are kept; 0: none are. Throws Code::kUsage.
std::int64_t tree_interval(const std::string& save_trees);

/// Where in a run an update stands.
struct UpdatePlace {
  std::int64_t step = 0;  ///< updates before it
  double before = 0;      ///< share of the run that is over before it
  double after = 1;       ///< and behind it
};

/// The step size of an update: lr, or half a cosine from lr to lr_final, over the run or again over
/// every lr_cycle updates; times a linear warm-up over lr_warmup updates of each cycle, or over
/// lr_warmup_share of the run, behind which the cosine then begins.
double learning_rate(const Config& config, const UpdatePlace& place);

}  // namespace tenfold::mcts_dpo
