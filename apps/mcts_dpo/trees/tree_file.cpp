#include "mcts_dpo/trees/tree_file.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "store/h5_table.hpp"

namespace tenfold::mcts_dpo {

namespace fs = std::filesystem;
using store::Hid;

namespace {

constexpr const char* kSchema = "tenfold-trees";
constexpr std::int64_t kVersion = 1;

template <class T>
void column(const Hid& group, const char* name, const std::vector<T>& values) {
  store::write_column(group.get(), name, values, true);
}

void write_facts(const Hid& file, const RoundFacts& facts) {
  store::write_text(file.get(), "schema", kSchema);
  store::write_integer(file.get(), "schema_version", kVersion);
  store::write_integer(file.get(), "round", facts.round);
  store::write_integer(file.get(), "seed", facts.seed);
  store::write_integer(file.get(), "policy_updates", facts.policy_updates);
  store::write_text(file.get(), "reference", facts.reference);
  Hid group = store::create_group(file.get(), "prompts");
  for (const auto& [name, text] : facts.prompts) {
    store::write_long_text(group.get(), name, text);
  }
  group.close("/prompts");
}

void write_trees(const Hid& file, const TreeTable::Trees& trees) {
  Hid group = store::create_group(file.get(), "trees");
  column(group, "question", trees.question);
  column(group, "first_node", trees.first_node);
  column(group, "nodes", trees.nodes);
  column(group, "right", trees.right);
  column(group, "id_begin", trees.id.begins);
  column(group, "id_end", trees.id.ends);
  column(group, "answer_begin", trees.answer.begins);
  column(group, "answer_end", trees.answer.ends);
  group.close("/trees");
  column(file, "ids", trees.id.bytes);
  column(file, "answers", trees.answer.bytes);
}

void write_nodes(const Hid& file, const TreeTable::Nodes& nodes) {
  Hid group = store::create_group(file.get(), "nodes");
  column(group, "tree", nodes.tree);
  column(group, "parent", nodes.parent);
  column(group, "depth", nodes.depth);
  column(group, "token_begin", nodes.token_begin);
  column(group, "token_end", nodes.token_end);
  column(group, "text_begin", nodes.text.begins);
  column(group, "text_end", nodes.text.ends);
  column(group, "N", nodes.visits);
  column(group, "Q", nodes.q);
  column(group, "V", nodes.v);
  column(group, "R", nodes.reward);
  column(group, "C", nodes.self_evaluation);
  column(group, "O", nodes.outcome);
  column(group, "prior", nodes.prior);
  column(group, "log_prob", nodes.log_prob);
  column(group, "flags", nodes.flags);
  column(group, "committed", nodes.committed);
  column(group, "truth", nodes.truth);
  group.close("/nodes");
  column(file, "tokens", nodes.tokens);
  column(file, "texts", nodes.text.bytes);
}

void write_pairs(const Hid& file, const TreeTable& table) {
  const TreeTable::Pairs& pairs = table.pairs();
  Hid group = store::create_group(file.get(), "pairs");
  column(group, "tree", pairs.tree);
  column(group, "parent", pairs.parent);
  column(group, "winner", pairs.winner);
  column(group, "winner_end", pairs.winner_end);
  column(group, "loser", pairs.loser);
  column(group, "loser_end", pairs.loser_end);
  column(group, "alpha", pairs.alpha);
  column(group, "gap", pairs.gap);
  column(group, "reference_winner", pairs.reference_winner);
  column(group, "reference_loser", pairs.reference_loser);
  column(group, "policy_updates", pairs.policy_updates);
  group.close("/pairs");
  const TreeTable::Dropped& dropped = table.dropped();
  group = store::create_group(file.get(), "dropped");
  column(group, "tree", dropped.tree);
  column(group, "node", dropped.node);
  column(group, "reason", dropped.reason);
  group.close("/dropped");
  const PairTally& tally = table.tally();
  group = store::create_group(file.get(), "tally");
  const auto count = [&](const char* name, std::uint64_t value) {
    store::write_integer(group.get(), name, static_cast<std::int64_t>(value));
  };
  count("trees", tally.trees);
  count("wrong_path", tally.wrong_path);
  count("kept", tally.kept);
  count("only_child", tally.only_child);
  count("small_gap", tally.small_gap);
  count("over_limit", tally.over_limit);
  count("too_long", tally.too_long);
  group.close("/tally");
}

}  // namespace

fs::path tree_file_name(const fs::path& folder, std::int64_t round) {
  return folder / "trees" / fmt::format("round-{:06}.h5", round);
}

void write_tree_file(const fs::path& path, const RoundFacts& facts, const TreeTable& table) {
  base::make_directories(path.parent_path());
  const store::Hdf5Session session;
  store::replace_file(path, [&](const fs::path& temporary) {
    Hid file =
        store::create_file(temporary, H5F_ACC_TRUNC, store::serial_access(H5F_LIBVER_V110, false));
    write_facts(file, facts);
    write_trees(file, table.trees());
    write_nodes(file, table.nodes());
    write_pairs(file, table);
    file.close("the file");
  });
}

}  // namespace tenfold::mcts_dpo
