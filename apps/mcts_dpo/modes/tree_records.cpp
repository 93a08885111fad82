#include "mcts_dpo/modes/tree_records.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/log.hpp"
#include "mcts_dpo/search/calibration.hpp"

namespace tenfold::mcts_dpo {

RoundFacts round_facts(const Config& config, const Workshop& workshop,
                       const train::RunContext& context) {
  RoundFacts facts;
  facts.seed = context.seed;
  facts.reference = workshop.policy.digest();
  facts.prompts = {
      {"question", config.prompt_question},     {"answer", config.prompt_answer},
      {"evaluation", config.prompt_evaluation}, {"reference-text", config.prompt_reference},
      {"right-option", config.right_option},    {"wrong-option", config.wrong_option},
      {"right-letter", config.right_letter}};
  return facts;
}

void add_tree(const Config& config, const Prompts& prompts, std::uint64_t number,
              const Question& question, const SearchedTree& searched, TreeTable& table) {
  const search::Tree& tree = searched.tree;
  TreeNote note;
  note.question = number;
  note.id = question.id;
  note.answer = question.answer;
  note.right = right_path(tree, searched.committed);
  const auto prompt = static_cast<std::ptrdiff_t>(tree.items(0).size());
  for (search::NodeId node = 0; node < tree.size(); ++node) {
    const std::vector<std::int32_t> state = tree.state_items(node);
    const std::span before(state.data(), state.size() - tree.items(node).size());
    note.texts.push_back(prompts.tokenizer().decode_after(before, tree.items(node)));
    Truth truth = Truth::kUnknown;
    if (node > 0) {
      const Tokens partial(state.begin() + prompt, state.end());
      const auto right = steps_are_right(config, question, prompts.text(partial));
      if (right) truth = *right ? Truth::kRight : Truth::kWrong;
    }
    note.truths.push_back(truth);
  }
  table.add(tree, searched.committed, note);
}

void save_trees(train::RunContext& context, const RoundFacts& facts,
                const std::function<void(TreeTable&)>& fill) {
  if (context.folder.empty()) return;
  TreeTable table;
  fill(table);
  try {
    write_tree_file(tree_file_name(context.folder, facts.round), facts, table);
  } catch (const base::Error& error) {
    if (error.code() != base::Code::kIo) throw;
    base::log_warning("the trees of round {} are not kept: {}", facts.round, error.what());
    context.metrics->event(context.step, "warning",
                           fmt::format("trees of round {} not kept", facts.round));
  }
}

}  // namespace tenfold::mcts_dpo
