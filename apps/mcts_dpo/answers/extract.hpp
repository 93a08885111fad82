// Where in a text its answer stands (mcts_dpo.md section 2.13).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tenfold::mcts_dpo {

enum class AnswerSource { kCue, kBox, kLastNumber };

struct ExtractedAnswer {
  std::string text;  ///< not empty, as written, without spaces around
  AnswerSource source = AnswerSource::kCue;
};

/// Longer texts are read from this many bytes before their end.
inline constexpr std::size_t kMostAnswerBytes = 1U << 20;

/// What follows the last "answer is" (any case), up to the end of the line or sentence, or what a
/// \boxed{} there holds; without such words the content of the last \boxed{}; without one the last
/// number. None when there is nothing of all that, when nothing follows the words, or when the
/// braces of the box never close: a text that was cut off there has not answered, whatever numbers
/// it holds.
std::optional<ExtractedAnswer> extract_answer(std::string_view text);

/// Content of the last \boxed{...} or \fbox{...}, braces matched; "\boxed 5" holds up to the next
/// space or dollar. None when there is none; "" when it never closes.
std::optional<std::string> last_boxed(std::string_view text);

/// A number in a text: "-1,234.5", "3/4", "2e-3".
struct NumberSpan {
  std::size_t begin = 0, end = 0;
};

/// The first number at or behind `from` that touches no letter in front.
std::optional<NumberSpan> next_number(std::string_view text, std::size_t from);

}  // namespace tenfold::mcts_dpo
