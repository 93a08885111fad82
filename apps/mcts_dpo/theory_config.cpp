// What --mode theory alone can be told.
#include <algorithm>

#include "base/error.hpp"
#include "mcts_dpo/config.hpp"

namespace tenfold::mcts_dpo {

using base::Code;
using base::Error;

void Config::declare_theory(cli::OptionTable& table) {
  table.group("theory", "Theory");
  table.add("theory.answers", &theory_answers, "numbers of wrong answers; one policy a number")
      .only_with("mode.mode", {"theory"});
  table
      .add("theory.epsilon", &theory_epsilon,
           "how often the offline sampler draws the wrong answer that the policy likes best")
      .only_with("mode.mode", {"theory"})
      .range(0, 1);
  table.add("theory.repeats", &theory_repeats, "runs of the offline sampler")
      .only_with("mode.mode", {"theory"})
      .range(1, 1e5);
}

void Config::validate_theory() const {
  if (theory_answers.empty() ||
      *std::min_element(theory_answers.begin(), theory_answers.end()) < 2 ||
      *std::max_element(theory_answers.begin(), theory_answers.end()) > 16) {
    throw Error(Code::kUsage, "--answers must be numbers from 2 to 16",
                "2: one wrong answer that the policy likes and one that it does not");
  }
  if (loss == "sigmoid" && (smoothing != "constant" || smoothing_constant == 0)) {
    throw Error(Code::kUsage, "--mode theory needs --smoothing constant and a constant above 0",
                "Else the loss has no minimiser; --preset theory sets both");
  }
  if (rounds > 1000) throw Error(Code::kUsage, "--mode theory has at most 1000 --rounds");
  if (nll != 0) throw Error(Code::kUsage, "--mode theory has no --nll", "Leave it at 0");
}

}  // namespace tenfold::mcts_dpo
