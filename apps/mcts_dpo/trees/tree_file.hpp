// trees/round-NNNNNN.h5 of a run (docs/schema.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "mcts_dpo/trees/tree_table.hpp"

namespace tenfold::mcts_dpo {

struct RoundFacts {
  std::int64_t round = 0;  ///< from 1; 0: trees that measure, which nothing learns from
  std::int64_t seed = 1;
  std::int64_t policy_updates = 0;             ///< updates that the policy which searched had had
  std::string reference;                       ///< digest of the policy that the run began with
  std::map<std::string, std::string> prompts;  ///< options prompt.*
};

/// folder/trees/round-000003.h5.
std::filesystem::path tree_file_name(const std::filesystem::path& folder, std::int64_t round);

/// Makes its folder, and replaces the file as a whole; the same facts and table give the same
/// bytes. Throws Code::kIo.
void write_tree_file(const std::filesystem::path& path, const RoundFacts& facts,
                     const TreeTable& table);

}  // namespace tenfold::mcts_dpo
