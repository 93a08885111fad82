#include "tenfold/tree_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/h5_table.hpp"

namespace tenfold::tool {

namespace fs = std::filesystem;
using base::Code;
using base::Error;
using store::Hid;
using store::StoredColumn;

namespace {

constexpr const char* kSchema = "tenfold-trees";
constexpr std::int64_t kVersion = 1;
constexpr std::uint32_t kNoNode = UINT32_MAX;
constexpr std::uint32_t kDeepest = 4096;
constexpr std::array<const char*, 4> kReasons{"an only child", "the gap is too small",
                                              "enough pairs of this tree", "too long"};

[[noreturn]] void damaged(const std::string& what) {
  throw Error(Code::kData, what + ": the file is damaged");
}

Hid open(const fs::path& path) {
  return store::open_file(path, H5F_ACC_RDONLY, store::serial_access(H5F_LIBVER_V18, false));
}

/// HDF5 cannot tell a damaged file from one that cannot be read; for a reader both are bad data.
void reading(const fs::path& path, const std::function<void()>& body) {
  const store::Hdf5Session session;
  try {
    store::with_path(path, body);
  } catch (const Error& error) {
    if (error.code() != Code::kIo) throw;
    throw Error(Code::kData, error.message(), error.hint());
  }
}

std::string text_of(const StoredColumn& bytes, std::uint64_t begin, std::uint64_t end) {
  if (end < begin) damaged("a text ends before it begins");
  const auto found = bytes.read<std::uint8_t>(begin, end - begin);
  return {found.begin(), found.end()};
}

void check_schema(const Hid& file) {
  if (!store::has_attribute(file.get(), "schema") ||
      store::read_text(file.get(), "schema") != kSchema) {
    throw Error(Code::kData, fmt::format("not a file of trees (no schema=\"{}\")", kSchema));
  }
  const std::int64_t version = store::read_integer(file.get(), "schema_version");
  if (version == kVersion) return;
  throw Error(
      Code::kData,
      fmt::format("schema version {}, but this program reads version {}", version, kVersion),
      "Use the Tenfold that wrote it, or a newer one");
}

template <class T>
std::vector<T> whole(const Hid& file, const std::string& name) {
  return StoredColumn(file.get(), name).read<T>();
}

template <class T>
std::vector<T> rows_of(const Hid& file, const std::string& name, std::size_t rows) {
  std::vector<T> values = whole<T>(file, name);
  if (values.size() != rows) damaged(fmt::format("'{}' is of another length", name));
  return values;
}

std::vector<StoredPair> read_pairs(const Hid& file, std::size_t count) {
  const auto parent = rows_of<std::uint32_t>(file, "pairs/parent", count);
  const auto winner = rows_of<std::uint32_t>(file, "pairs/winner", count);
  const auto winner_end = rows_of<std::uint32_t>(file, "pairs/winner_end", count);
  const auto loser = rows_of<std::uint32_t>(file, "pairs/loser", count);
  const auto loser_end = rows_of<std::uint32_t>(file, "pairs/loser_end", count);
  const auto alpha = rows_of<double>(file, "pairs/alpha", count);
  const auto gap = rows_of<double>(file, "pairs/gap", count);
  const auto reference_winner = rows_of<double>(file, "pairs/reference_winner", count);
  const auto reference_loser = rows_of<double>(file, "pairs/reference_loser", count);
  const auto updates = rows_of<std::int64_t>(file, "pairs/policy_updates", count);
  std::vector<StoredPair> pairs;
  for (std::size_t i = 0; i < count; ++i) {
    pairs.push_back({parent[i], winner[i], winner_end[i], loser[i], loser_end[i], alpha[i], gap[i],
                     reference_winner[i], reference_loser[i], updates[i]});
  }
  return pairs;
}

std::vector<StoredNode> read_nodes(const Hid& file, std::uint64_t first, std::uint64_t count) {
  const auto rows = [&]<class T>(const char* name, T) {
    return StoredColumn(file.get(), std::string("nodes/") + name).read<T>(first, count);
  };
  const auto parent = rows("parent", std::uint32_t{});
  const auto depth = rows("depth", std::uint32_t{});
  const auto visits = rows("N", std::uint32_t{});
  const auto flags = rows("flags", std::uint32_t{});
  const auto q = rows("Q", double{});
  const auto v = rows("V", double{});
  const auto reward = rows("R", double{});
  const auto confidence = rows("C", double{});
  const auto outcome = rows("O", double{});
  const auto prior = rows("prior", double{});
  const auto log_prob = rows("log_prob", double{});
  const auto committed = rows("committed", std::uint8_t{});
  const auto begin = rows("text_begin", std::uint64_t{});
  const auto end = rows("text_end", std::uint64_t{});
  const StoredColumn texts(file.get(), "texts");
  std::vector<StoredNode> nodes;
  for (std::size_t i = 0; i < count; ++i) {
    nodes.push_back({parent[i],
                     depth[i],
                     visits[i],
                     flags[i],
                     q[i],
                     v[i],
                     reward[i],
                     confidence[i],
                     outcome[i],
                     prior[i],
                     log_prob[i],
                     committed[i] != 0,
                     text_of(texts, begin[i], end[i]),
                     {}});
  }
  return nodes;
}

/// Children of each. Every parent must stand before its child, and no path be so long that a
/// reader which follows it runs out of stack.
void link(std::vector<StoredNode>* nodes) {
  for (std::uint32_t node = 0; node < nodes->size(); ++node) {
    const std::uint32_t parent = (*nodes)[node].parent;
    if (node == 0 ? parent != kNoNode : parent >= node) damaged("a node has an impossible parent");
    const std::uint32_t depth = node == 0 ? 0 : (*nodes)[parent].depth + 1;
    if ((*nodes)[node].depth != depth || depth > kDeepest)
      damaged("a node has an impossible depth");
    if (node > 0) (*nodes)[parent].children.push_back(node);
  }
}

bool descends(const StoredTree& tree, std::uint32_t first, std::uint32_t last) {
  if (first >= tree.nodes.size() || last >= tree.nodes.size()) return false;
  while (last > first) last = tree.nodes[last].parent;
  return last == first;
}

}  // namespace

std::string StoredTree::text(std::uint32_t first, std::uint32_t last) const {
  std::vector<std::uint32_t> path{last};
  while (path.back() != first) path.push_back(nodes[path.back()].parent);
  std::string all;
  for (auto node = path.rbegin(); node != path.rend(); ++node) all += nodes[*node].text;
  return all;
}

TreeFile::TreeFile(const fs::path& path) : path_(path) {
  reading(path_, [&] {
    const Hid file = open(path_);
    check_schema(file);
    round = store::read_integer(file.get(), "round");
    seed = store::read_integer(file.get(), "seed");
    policy_updates = store::read_integer(file.get(), "policy_updates");
    reference = store::read_text(file.get(), "reference");
    const Hid counts = store::open_group(file.get(), "tally");
    for (const std::string& name : store::attribute_names(counts.get())) {
      tally[name] = store::read_integer(counts.get(), name);
    }
    question_ = whole<std::uint64_t>(file, "trees/question");
    const std::size_t count = question_.size();
    first_node_ = rows_of<std::uint64_t>(file, "trees/first_node", count);
    nodes_ = rows_of<std::uint32_t>(file, "trees/nodes", count);
    right_ = rows_of<std::uint8_t>(file, "trees/right", count);
    const auto texts = [&](const std::string& column, const std::string& name) {
      const auto begin = rows_of<std::uint64_t>(file, "trees/" + name + "_begin", count);
      const auto end = rows_of<std::uint64_t>(file, "trees/" + name + "_end", count);
      const StoredColumn bytes(file.get(), column);
      std::vector<std::string> found;
      for (std::size_t i = 0; i < count; ++i) found.push_back(text_of(bytes, begin[i], end[i]));
      return found;
    };
    id_ = texts("ids", "id");
    answer_ = texts("answers", "answer");
    pair_tree_ = whole<std::uint32_t>(file, "pairs/tree");
    pairs_ = read_pairs(file, pair_tree_.size());
    dropped_tree_ = whole<std::uint32_t>(file, "dropped/tree");
    dropped_node_ = rows_of<std::uint32_t>(file, "dropped/node", dropped_tree_.size());
    dropped_reason_ = rows_of<std::uint8_t>(file, "dropped/reason", dropped_tree_.size());
  });
}

bool TreeFile::has_pairs(std::size_t tree) const {
  return std::find(pair_tree_.begin(), pair_tree_.end(), tree) != pair_tree_.end();
}

StoredTree TreeFile::read(std::size_t index) const {
  StoredTree tree{question_[index], id_[index], answer_[index], right_[index] != 0, {}, {}, {}};
  reading(path_, [&] {
    if (nodes_[index] == 0) damaged("a tree without a node");
    tree.nodes = read_nodes(open(path_), first_node_[index], nodes_[index]);
    link(&tree.nodes);
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      if (pair_tree_[i] != index) continue;
      const StoredPair& pair = pairs_[i];
      if (!descends(tree, 0, pair.parent) || !descends(tree, pair.winner, pair.winner_end) ||
          !descends(tree, pair.loser, pair.loser_end)) {
        damaged("a pair names nodes that are not there");
      }
      tree.pairs.push_back(pair);
    }
    for (std::size_t i = 0; i < dropped_tree_.size(); ++i) {
      if (dropped_tree_[i] != index) continue;
      const std::uint8_t reason = dropped_reason_[i];
      tree.dropped[dropped_node_[i]] =
          reason < kReasons.size() ? kReasons[reason] : "another reason";
    }
  });
  return tree;
}

std::map<std::int64_t, fs::path> tree_files(const fs::path& run) {
  std::map<std::int64_t, fs::path> files;
  std::error_code failure;
  for (fs::directory_iterator it(run / "trees", failure), end; !failure && it != end;
       it.increment(failure)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with("round-") || !name.ends_with(".h5")) continue;
    const std::string digits = name.substr(6, name.size() - 9);
    std::int64_t round = -1;
    const char* const last = digits.data() + digits.size();
    const auto [stop, bad] = std::from_chars(digits.data(), last, round);
    if (bad == std::errc() && stop == last && round >= 0) files[round] = it->path();
  }
  if (files.empty()) {
    throw Error(Code::kData, fmt::format("{} kept no search trees", run.string()),
                "Runs of mcts_dpo do, in trees/, unless --save-trees says none");
  }
  return files;
}

}  // namespace tenfold::tool
