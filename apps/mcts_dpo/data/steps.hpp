// Where a sampled text falls into steps (mcts_dpo.md section 2.2). All works on the texts that
// tokens add, one a token, so a step is always a number of sampled tokens and never text that was
// tokenised again.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tenfold::dataset {
class Pattern;
}

namespace tenfold::mcts_dpo {

/// --step-rule: "newline", "sentence", "token(16)", "delimiter(REGEX)" (PCRE2's syntax, which is
/// Perl's) or "official".
struct StepRules {
  enum class Kind { kNewline, kSentence, kToken, kDelimiter, kOfficial };
  Kind kind = Kind::kNewline;
  std::size_t tokens = 0;                             ///< of kToken
  std::string delimiter{};                            ///< of kDelimiter
  std::shared_ptr<const dataset::Pattern> pattern{};  ///< the same, compiled
};

/// Throws Code::kUsage for another text, token(0) and a pattern that is none.
StepRules parse_step_rules(std::string_view text);

/// Fed with a stream of tokens, says at which a step ends. A step ends
///   newline    with the token that has the first newline behind text,
///   sentence   there too, and before white space behind . ! or ?, once it has four characters ("1.
///   " ends
///              nothing),
///   token(n)   with its n-th token,
///   delimiter  with the token that completes a match behind text; the last 2048 bytes are
///   searched, bytes that are no UTF-8 as U+FFFD.
class StepSplitter {
 public:
  /// Not for official rules, which look at a whole sample: official_step.
  explicit StepSplitter(const StepRules& rules);

  /// Takes the text that one more token adds, "" for one that adds none yet. Returns how many
  /// tokens the step has, once it is known to have ended: all so far, or, where a sentence's end
  /// shows only by what follows it, all but the last, which then is not part of the step. Begins
  /// anew after that. Throws Code::kData naming a delimiter that takes too many steps to match.
  std::optional<std::size_t> push(std::string_view piece);

  /// The text of the step under way.
  const std::string& text() const { return text_; }
  std::size_t tokens() const { return tokens_; }
  void reset();

 private:
  std::optional<std::size_t> ended(std::size_t before) const;

  bool delimited() const;

  StepRules rules_;
  std::string text_;
  std::size_t tokens_ = 0;
};

/// Whether a text has an answer in it: "answer is" and something behind it. A step like that ends
/// the solution.
bool states_answer(std::string_view text);

struct OfficialSample {
  std::size_t cap = 0;         ///< tokens that could be sampled: official_step_cap
  bool ended = false;          ///< the end-of-sequence token followed
  bool at_root = false;        ///< the question alone stands before it
  bool single_action = false;  ///< no sibling was asked for
};

struct OfficialStep {
  std::size_t tokens = 0;      ///< of the sample; the step
  bool ends_solution = false;  ///< an end-of-sequence token belongs behind it
  bool truncated = false;      ///< one unfinished sentence, cut by the cap
};

/// Rules 2 to 5 and 7: lines, or sentences where there is one line only, of at least four
/// characters; all behind an answer or before a new question's header goes; so does the last
/// sentence of a whole solution at the root, and the last, unfinished one of a sample of 7/8 of the
/// cap or more. Where a cut falls inside a token the token goes too, unless only white space is
/// left of it or nothing before it.
OfficialStep official_step(std::span<const std::string> pieces, const OfficialSample& sample,
                           std::string_view question_header = "QUESTION");

/// Rule 1: how many tokens to sample for a step, such that the reference solution would fit in
/// about depth_limit of them. solution_tokens is 0 where there is none.
std::size_t official_step_cap(std::size_t max_new_tokens, std::size_t solution_tokens,
                              std::size_t depth_limit, bool multiple_choice);

}  // namespace tenfold::mcts_dpo
