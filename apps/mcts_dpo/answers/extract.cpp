#include "mcts_dpo/answers/extract.hpp"

#include <algorithm>

namespace tenfold::mcts_dpo {

namespace {

bool digit(char byte) {
  return byte >= '0' && byte <= '9';
}

bool letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool space(char byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

/// Behind the last "answer is" that begins a word; npos when there is none.
std::size_t behind_cue(std::string_view text) {
  constexpr std::string_view kCue = "answer is";
  if (text.size() < kCue.size()) return std::string_view::npos;
  for (std::size_t at = text.size() - kCue.size() + 1; at-- > 0;) {
    const auto same = [](char a, char b) { return (a | 0x20) == b || a == b; };
    if (!std::equal(kCue.begin(), kCue.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                    [&](char cue, char byte) { return same(byte, cue); })) {
      continue;
    }
    const std::size_t end = at + kCue.size();
    if ((at == 0 || !letter(text[at - 1])) && (end == text.size() || !letter(text[end])))
      return end;
  }
  return std::string_view::npos;
}

/// The first sentence of the first line of text that is not empty; colons in front are left out.
std::string_view first_sentence(std::string_view text) {
  while (!text.empty() && (space(text.front()) || text.front() == ':')) text.remove_prefix(1);
  text = text.substr(0, text.find('\n'));
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '.' && space(text[i + 1])) text = text.substr(0, i);
  }
  return trimmed(text);
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && digit(text[at])) ++at;
  return at;
}

std::size_t number_end(std::string_view text, std::size_t at) {
  at = skip_digits(text, at);
  // A comma belongs to the number where three digits follow it, and no more.
  while (at + 3 < text.size() && text[at] == ',' && skip_digits(text, at + 1) == at + 4) at += 4;
  if (at + 1 < text.size() && text[at] == '.' && digit(text[at + 1]))
    at = skip_digits(text, at + 1);
  if (at + 1 < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const std::size_t sign = text[at + 1] == '-' || text[at + 1] == '+' ? 1 : 0;
    const std::size_t end = skip_digits(text, at + 1 + sign);
    if (end > at + 1 + sign) at = end;
  }
  if (at + 1 < text.size() && text[at] == '/' && digit(text[at + 1]))
    at = skip_digits(text, at + 1);
  return at;
}

}  // namespace

std::optional<NumberSpan> next_number(std::string_view text, std::size_t from) {
  for (std::size_t at = from; at < text.size(); ++at) {
    const bool point = text[at] == '.' && at + 1 < text.size() && digit(text[at + 1]);
    if (!digit(text[at]) && !point) continue;
    std::size_t begin = at;
    if (at > from && text[at - 1] == '-') --begin;
    const bool glued = begin > 0 && (letter(text[begin - 1]) || text[begin - 1] == '_');
    const bool difference = begin < at && begin > 0 &&
                            (digit(text[begin - 1]) || letter(text[begin - 1]) ||
                             text[begin - 1] == ')');  // "5-3": no sign
    const std::size_t end = number_end(text, at);
    if (difference) return NumberSpan{at, end};
    if (!glued) return NumberSpan{begin, end};
    at = end - 1;
  }
  return std::nullopt;
}

std::optional<std::string> last_boxed(std::string_view text) {
  std::size_t at = text.rfind("\\boxed");
  std::size_t behind = 6;
  const std::size_t fbox = text.rfind("\\fbox");
  if (fbox != std::string_view::npos && (at == std::string_view::npos || fbox > at)) {
    at = fbox;
    behind = 5;
  }
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(at + behind);
  while (!rest.empty() && space(rest.front())) rest.remove_prefix(1);
  if (rest.empty() || rest.front() != '{') {
    return std::string(rest.substr(0, rest.find_first_of(" $\n")));
  }
  int depth = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      ++i;  // "\{" is a brace that is shown
      continue;
    }
    if (rest[i] == '{') ++depth;
    if (rest[i] == '}' && --depth == 0) return std::string(trimmed(rest.substr(1, i - 1)));
  }
  return std::string();
}

std::optional<ExtractedAnswer> extract_answer(std::string_view text) {
  if (text.size() > kMostAnswerBytes) text.remove_prefix(text.size() - kMostAnswerBytes);
  const std::size_t cue = behind_cue(text);
  if (cue != std::string_view::npos) {
    const std::string_view phrase = first_sentence(text.substr(cue));
    const bool has_box = last_boxed(phrase).has_value();  // which may go on over the next lines
    const std::optional<std::string> boxed = has_box ? last_boxed(text.substr(cue)) : std::nullopt;
    std::string found = boxed ? *boxed : std::string(phrase);
    if (found.empty()) return std::nullopt;
    return ExtractedAnswer{std::move(found), AnswerSource::kCue};
  }
  if (const std::optional<std::string> boxed = last_boxed(text)) {
    if (boxed->empty()) return std::nullopt;
    return ExtractedAnswer{*boxed, AnswerSource::kBox};
  }
  std::optional<NumberSpan> last;
  for (std::size_t from = 0;;) {
    const std::optional<NumberSpan> next = next_number(text, from);
    if (!next) break;
    last = next;
    from = next->end;
  }
  if (!last) return std::nullopt;
  return ExtractedAnswer{std::string(text.substr(last->begin, last->end - last->begin)),
                         AnswerSource::kLastNumber};
}

}  // namespace tenfold::mcts_dpo
