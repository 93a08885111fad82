// Whether an answer is the right one (mcts_dpo.md section 2.13): exact rationals, normalised texts,
// and identities tested at fixed rational points; computer algebra only where it is asked for.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::mcts_dpo {

/// Unparsable: no answer was found, or one that was cut off. Kept apart from wrong answers, so that
/// what the rules could not read is seen (and may be left out of the reward).
enum class Verdict { kRight, kWrong, kUnparsable };

class SymbolicChecker;

std::string_view verdict_name(Verdict verdict);

struct CompareOptions {
  /// Of numbers without variables, relative to the larger one.
  double tolerance = 1e-4;
  /// Two integers must be the same: with the tolerance alone 20001 would pass for 20000. The
  /// paper's official code has no such rule.
  bool integers_exact = true;
  /// Numbers that are 100 times or a 100th of the right one pass too, as in the paper's official
  /// code.
  bool percent_leniency = false;
  /// Asked last, of what holds variables, functions or relations and is not the same by the rules
  /// below; null: nobody.
  SymbolicChecker* symbolic = nullptr;
};

/// Whether two answers mean the same: the same text after normalisation; numbers as above; tuples
/// and intervals element by element with the same brackets; sets \{...\} and lists without brackets
/// in any order; unions part by part; equations whose sides differ by the same, or its negative;
/// expressions with the same value at four fixed points. "x = 5" is 5, and an answer that is a
/// phrase with one number in it is that number, where the right answer has no words. Parts that
/// these rules find different may still be the same to options.symbolic.
bool equivalent(std::string_view answer, std::string_view gold, const CompareOptions& options = {});

/// Finds the answer in a text (extract_answer) and compares it with the right one.
Verdict judge(std::string_view text, std::string_view gold, const CompareOptions& options = {});

/// Letters of choices (0 is A) that a phrase names, in order, each once: "(B)" anywhere, otherwise
/// capital letters that stand alone.
std::vector<std::size_t> named_choices(std::string_view phrase, std::size_t choices);

struct ChoiceGrade {
  Verdict verdict = Verdict::kUnparsable;
  /// With graded rules (section 2.7, [code]): 1 for the right letter alone behind "answer is", 0.9
  /// / n when it is one of n letters named there, 0 when only the right choice's text is there, -1
  /// otherwise. Without: 1 for right, else -1.
  double reward = -1;
};

/// choices: their texts, (A) first. key: the right letter. Right is one letter behind the last
/// "answer is" (or in the last \boxed{}), the key's: "(B)", "B", "B.", "B) text", "option B".
/// Several letters, or the text alone, are wrong unless graded, where they keep Verdict::kWrong and
/// earn the reward above. Unparsable: no letter and no choice's text. Throws Code::kBug for a key
/// that is none.
ChoiceGrade grade_choice(std::string_view text, std::span<const std::string> choices,
                         std::string_view key, bool graded = false);

}  // namespace tenfold::mcts_dpo
