// One form for the many ways to write the same answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tenfold::mcts_dpo {

/// Brings an answer into one form: no dollars, \left, \right, spacing commands or currency; \dfrac
/// and \tfrac as \frac with both braces; \text{...} and its kin as plain words; \cdot, \times, ÷
/// and Unicode's operators, fractions and powers as ASCII or LaTeX; no degrees and percent signs;
/// no commas between thousands; no final period; no units behind a number ("5 cm", "18 dollars").
/// Single spaces remain where they part words or numbers.
std::string normalised_answer(std::string_view answer);

/// Without any space, in lower case when it is made of words: two answers with the same canonical
/// text are the same.
std::string canonical_answer(std::string_view normalised);

/// Whether (), [], {} and their shown forms \{ \} are balanced, each kind by itself: "[1, 2)" is.
bool balanced(std::string_view text);

/// Cuts text at each separator that stands outside of all brackets; pieces are trimmed.
std::vector<std::string> split_outside_brackets(std::string_view text, std::string_view separator);

}  // namespace tenfold::mcts_dpo
