#include "tenfold/show_trees.hpp"

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hpp"
#include "tenfold/run_overview.hpp"
#include "tenfold/sparkline.hpp"
#include "tenfold/tree_file.hpp"
#include "tenfold/tree_text.hpp"

namespace tenfold::tool {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

struct Place {
  std::optional<std::int64_t> round;
  std::string question;  ///< number or id; "": any
};

std::optional<std::int64_t> whole(const std::string& text) {
  std::int64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data(), last, value);
  if (failure != std::errc() || end != last || value < 0) return std::nullopt;
  return value;
}

Place place_of(const Arguments& arguments) {
  Place place;
  if (arguments.operands.size() < 2) return place;
  const std::string& text = arguments.operands[1];
  const std::size_t colon = text.find(':');
  place.round = whole(text.substr(0, colon));
  if (!place.round || colon + 1 == text.size()) {
    throw Error(Code::kUsage,
                fmt::format("show: '{}' is not ROUND or ROUND:QUESTION", base::printable(text)),
                "Rounds are numbered from 1; 0 is the search of --mode evaluate");
  }
  if (colon != std::string::npos) place.question = text.substr(colon + 1);
  return place;
}

fs::path file_of(const std::map<std::int64_t, fs::path>& files, std::int64_t round) {
  const auto found = files.find(round);
  if (found != files.end()) return found->second;
  std::vector<std::string> kept;
  kept.reserve(files.size());
  for (const auto& [number, path] : files) kept.push_back(std::to_string(number));
  throw Error(Code::kData, fmt::format("no trees of round {} are kept", round),
              "Kept are those of " + base::join(kept, ", "));
}

std::size_t tree_of(const TreeFile& file, const std::string& question) {
  for (std::size_t i = 0; i < file.size(); ++i) {
    if (question == std::to_string(file.question(i)) || question == file.id(i)) return i;
  }
  throw Error(
      Code::kData,
      fmt::format("round {} has no tree of question '{}'", file.round, base::printable(question)),
      file.size() == 0 ? "It has no trees at all"
                       : fmt::format("It has those from {} to {}", file.question(0),
                                     file.question(file.size() - 1)));
}

/// The first tree that gave a pair: it shows most. Else the first.
std::size_t telling_tree(const TreeFile& file) {
  for (std::size_t i = 0; i < file.size(); ++i) {
    if (file.has_pairs(i)) return i;
  }
  return 0;
}

std::string summary(const TreeFile& file) {
  if (file.round == 0) return fmt::format("evaluation by search: {} trees\n", file.size());
  const auto count = [&](const char* name) {
    const auto found = file.tally.find(name);
    return found == file.tally.end() ? 0 : found->second;
  };
  return fmt::format(
      "round {}: {} trees by the policy after {} updates, reference {}\n"
      "{} pairs; left out: {} trees whose path is wrong, {} nodes with one child, {} with too "
      "small a gap,\n{} of trees with enough pairs, {} too long\n",
      file.round, file.size(), file.policy_updates, base::printable(file.reference), count("kept"),
      count("wrong_path"), count("only_child"), count("small_gap"), count("over_limit"),
      count("too_long"));
}

std::string headline(const StoredTree& tree) {
  std::size_t ends = 0, right = 0;
  for (const StoredNode& node : tree.nodes) {
    ends += node.right() || node.wrong() ? 1 : 0;
    right += node.right() ? 1 : 0;
  }
  return fmt::format(
      "\nquestion {} ({}), answer {}: committed to a {} solution; {} nodes, {} of {} "
      "solutions right\n",
      tree.question, base::printable(tree.id), base::printable(tree.answer),
      tree.right ? "right" : "wrong", tree.nodes.size(), right, ends);
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

}  // namespace

base::Code show_trees(const Arguments& arguments) {
  const fs::path run = arguments.operands.front();
  static_cast<void>(read_manifest_of(run));
  const Place place = place_of(arguments);
  const auto files = tree_files(run);
  const TreeFile file(file_of(files, place.round.value_or(files.rbegin()->first)));
  const bool ascii = arguments.has("ascii") || needs_ascii();
  print(summary(file));
  if (file.size() == 0) return Code::kOk;
  const bool all = arguments.has("all") && place.question.empty();
  const std::size_t one =
      place.question.empty() ? telling_tree(file) : tree_of(file, place.question);
  for (std::size_t i = all ? 0 : one; i < (all ? file.size() : one + 1); ++i) {
    const StoredTree tree = file.read(i);
    print(headline(tree) + tree_text(tree, terminal_width(), ascii));
  }
  if (!all && place.question.empty()) {
    print(
        fmt::format("\n> committed path; W, L: winner and loser of a pair. Others: ROUND:QUESTION, "
                    "questions {} to {}; --all\n",
                    file.question(0), file.question(file.size() - 1)));
  }
  return Code::kOk;
}

base::Code show_pairs(const Arguments& arguments) {
  const fs::path run = arguments.operands.front();
  static_cast<void>(read_manifest_of(run));
  const Place place = place_of(arguments);
  const auto files = tree_files(run);
  if (place.round) static_cast<void>(file_of(files, *place.round));
  for (const auto& [round, path] : files) {
    if (place.round && round != *place.round) continue;
    const TreeFile file(path);
    for (std::size_t i = 0; i < file.size(); ++i) {
      if (!file.has_pairs(i)) continue;
      const StoredTree tree = file.read(i);
      if (!place.question.empty() && tree_of(file, place.question) != i) continue;
      for (const StoredPair& pair : tree.pairs) {
        const nlohmann::ordered_json line{{"prompt", tree.text(0, pair.parent)},
                                          {"chosen", tree.text(pair.winner, pair.winner_end)},
                                          {"rejected", tree.text(pair.loser, pair.loser_end)},
                                          {"chosen_ends", tree.nodes[pair.winner_end].ends()},
                                          {"rejected_ends", tree.nodes[pair.loser_end].ends()},
                                          {"alpha", pair.alpha},
                                          {"gap", pair.gap},
                                          {"reference_log_prob_chosen", pair.reference_winner},
                                          {"reference_log_prob_rejected", pair.reference_loser},
                                          {"round", round},
                                          {"question", tree.question},
                                          {"id", tree.id},
                                          {"policy_updates", pair.policy_updates},
                                          {"reference", file.reference}};
        print(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
      }
    }
  }
  return Code::kOk;
}

}  // namespace tenfold::tool
