// Parts of a data set that share no question: hashes of texts, splits by them, and the check for
// leaks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mcts_dpo/data/question.hpp"

namespace tenfold::mcts_dpo {

/// ASCII letters in lower case, each run of white space one space, none at the ends.
std::string normalised_text(std::string_view text);

/// xxh64 of the question's normalised text and of its choices in sorted order, so that neither
/// layout nor the order of choices makes a question another one.
std::uint64_t question_hash(const Question& question);

/// Cuts questions into shares.size() parts; which one a question falls in depends on its hash and
/// on seed alone, so adding or reordering questions moves no other. Shares are positive weights;
/// the parts have them on average. Order is kept. Throws Code::kUsage for shares that are not
/// positive and finite.
std::vector<std::vector<Question>> split_by_hash(std::vector<Question> questions,
                                                 std::span<const double> shares,
                                                 std::uint64_t seed);

/// Number of questions of evaluation that train has too (by question_hash). Throws Code::kData
/// naming the first few when there are any and allow is false (--allow-leak).
std::size_t check_leak(std::span<const Question> train, std::span<const Question> evaluation,
                       bool allow);

}  // namespace tenfold::mcts_dpo
