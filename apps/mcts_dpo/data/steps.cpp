#include "mcts_dpo/data/steps.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "dataset/tokenizer/pattern.hpp"

namespace tenfold::mcts_dpo {

namespace {

/// Every token searches the step's text again.
constexpr std::size_t kMostSearched = 2048;
constexpr std::size_t kLeastCharacters = 4;

bool space(char byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

bool has_text(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char byte) { return !space(byte); });
}

std::size_t text_length(std::string_view text) {
  const auto first = std::find_if_not(text.begin(), text.end(), space);
  const auto last = std::find_if_not(text.rbegin(), std::make_reverse_iterator(first), space);
  return static_cast<std::size_t>(last.base() - first);
}

/// Behind the first sentence of text that has four characters: where the white space begins that
/// follows . ! or ? (and closing quotes and brackets). npos when none ends.
std::size_t sentence_end(std::string_view text) {
  constexpr std::string_view kClosing = "\"')]}*";
  for (std::size_t at = text.find_first_of(".!?"); at != std::string_view::npos;
       at = text.find_first_of(".!?", at + 1)) {
    std::size_t end = at + 1;
    while (end < text.size() && kClosing.find(text[end]) != std::string_view::npos) ++end;
    if (end == text.size() || !space(text[end])) continue;
    if (text_length(text.substr(0, end)) >= kLeastCharacters) return end;
  }
  return std::string_view::npos;
}

/// Ends of lines or sentences, separators behind them included for lines; the last is text.size().
std::vector<std::size_t> fragment_ends(std::string_view text, bool lines) {
  std::vector<std::size_t> ends;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.size();
    if (lines) {
      std::size_t from = begin;
      do {
        end = std::min(text.find('\n', from), text.size());
        while (end < text.size() && space(text[end])) ++end;
        from = end;
      } while (end < text.size() &&
               text_length(text.substr(begin, end - begin)) < kLeastCharacters);
    } else {
      const std::size_t length = sentence_end(text.substr(begin));
      if (length != std::string_view::npos) end = begin + length;
    }
    // White space alone is no fragment.
    if (!ends.empty() && !has_text(text.substr(begin, end - begin))) {
      ends.back() = end;
    } else {
      ends.push_back(end);
    }
    begin = end;
  }
  return ends;
}

std::size_t tokens_up_to(std::span<const std::string> pieces, std::size_t bytes) {
  std::size_t begin = 0, tokens = 0;
  while (tokens < pieces.size() && begin + pieces[tokens].size() <= bytes) {
    begin += pieces[tokens++].size();
  }
  if (tokens < pieces.size() && begin < bytes &&
      (tokens == 0 || !has_text(std::string_view(pieces[tokens]).substr(bytes - begin)))) {
    ++tokens;
  }
  return tokens;
}

}  // namespace

StepRules parse_step_rules(std::string_view text) {
  const auto refuse = [&](std::string_view why) -> base::Error {
    return {base::Code::kUsage, fmt::format("--step-rule \"{}\": {}", text, why),
            "newline, sentence, token(N), delimiter(REGEX) or official"};
  };
  const auto argument = [&](std::string_view name) -> std::optional<std::string_view> {
    if (!text.starts_with(name) || text.size() < name.size() + 2) return std::nullopt;
    if (text[name.size()] != '(' || text.back() != ')') return std::nullopt;
    return text.substr(name.size() + 1, text.size() - name.size() - 2);
  };
  using Kind = StepRules::Kind;
  if (text == "newline") return {.kind = Kind::kNewline};
  if (text == "sentence") return {.kind = Kind::kSentence};
  if (text == "official") return {.kind = Kind::kOfficial};
  if (const auto number = argument("token")) {
    std::size_t tokens = 0;
    const char* last = number->data() + number->size();
    const auto [end, error] = std::from_chars(number->data(), last, tokens);
    if (error != std::errc() || end != last || tokens == 0) throw refuse("not a number above 0");
    return {.kind = Kind::kToken, .tokens = tokens};
  }
  if (const auto expression = argument("delimiter")) {
    if (expression->empty()) throw refuse("an empty pattern");
    StepRules rules{.kind = Kind::kDelimiter, .delimiter = std::string(*expression)};
    try {
      rules.pattern = std::make_shared<const dataset::Pattern>(dataset::Pattern::of_expression(
          rules.delimiter, fmt::format("--step-rule \"{}\"", base::printable(text))));
    } catch (const base::Error& error) {
      throw refuse(error.message());
    }
    if (rules.pattern->find("", 0)) throw refuse("the pattern matches nothing at all");
    return rules;
  }
  throw refuse("no such rule");
}

StepSplitter::StepSplitter(const StepRules& rules) : rules_(rules) {
  base::require(rules.kind != StepRules::Kind::kOfficial, "official step rules on a stream");
  base::require((rules.kind == StepRules::Kind::kDelimiter) == (rules.pattern != nullptr),
                "step rules that parse_step_rules did not make");
}

void StepSplitter::reset() {
  text_.clear();
  tokens_ = 0;
}

std::optional<std::size_t> StepSplitter::push(std::string_view piece) {
  const std::size_t before = text_.size();
  text_ += piece;
  ++tokens_;
  const std::optional<std::size_t> tokens = ended(before);
  if (tokens) reset();
  return tokens;
}

/// before: bytes of the text without the last token's.
std::optional<std::size_t> StepSplitter::ended(std::size_t before) const {
  using Kind = StepRules::Kind;
  if (rules_.kind == Kind::kToken) {
    return tokens_ == rules_.tokens ? std::optional(tokens_) : std::nullopt;
  }
  if (rules_.kind == Kind::kDelimiter) {
    return delimited() ? std::optional(tokens_) : std::nullopt;
  }
  const std::size_t first =
      static_cast<std::size_t>(std::find_if_not(text_.begin(), text_.end(), space) - text_.begin());
  if (rules_.kind == Kind::kSentence) {
    const std::size_t end = sentence_end(text_);
    const bool at_newline = end < text_.size() && text_[end] == '\n';
    if (end != std::string::npos && !at_newline) {
      return end <= before && tokens_ > 1 ? tokens_ - 1 : tokens_;
    }
  }
  return text_.find('\n', first) != std::string::npos ? std::optional(tokens_) : std::nullopt;
}

/// Whether the delimiter matches behind text.
bool StepSplitter::delimited() const {
  const std::size_t begin = text_.size() > kMostSearched ? text_.size() - kMostSearched : 0;
  const bool text_before = has_text(std::string_view(text_).substr(0, begin));
  const std::string searched = base::valid_utf8(std::string_view(text_).substr(begin));
  std::size_t from = 0, after = std::string::npos;
  while (const auto match = rules_.pattern->find(searched, from, after)) {
    if (text_before || has_text(std::string_view(searched).substr(0, match->begin))) return true;
    from = after = match->end;
  }
  return false;
}

bool states_answer(std::string_view text) {
  constexpr std::string_view kCue = "answer is";
  for (std::size_t at = text.find(kCue); at != std::string_view::npos;
       at = text.find(kCue, at + 1)) {
    const std::string_view behind = text.substr(at + kCue.size());
    if (!behind.empty() && (space(behind.front()) || behind.front() == ':') &&
        std::any_of(behind.begin(), behind.end(), [](char c) { return !space(c) && c != ':'; })) {
      return true;
    }
  }
  return false;
}

OfficialStep official_step(std::span<const std::string> pieces, const OfficialSample& sample,
                           std::string_view question_header) {
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  OfficialStep step;
  step.ends_solution = sample.ended;
  if (const std::size_t header = text.find(question_header); header != std::string::npos) {
    text.resize(header);
    step.ends_solution = true;
  }
  std::vector<std::size_t> ends = fragment_ends(text, true);
  if (ends.size() < 2) ends = fragment_ends(text, false);
  for (std::size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++]) {
    if (!states_answer(std::string_view(text).substr(begin, ends[i] - begin))) continue;
    step.ends_solution = true;
    ends.resize(i + 1);
  }
  const bool capped = pieces.size() * 8 >= sample.cap * 7;
  if (sample.at_root && !sample.single_action && step.ends_solution && ends.size() >= 2) {
    ends.pop_back();
    step.ends_solution = false;
  } else if (capped && !step.ends_solution) {
    step.truncated = ends.size() < 2;
    if (!step.truncated) ends.pop_back();
  }
  step.tokens = ends.empty() ? 0 : tokens_up_to(pieces, ends.back());
  return step;
}

std::size_t official_step_cap(std::size_t max_new_tokens, std::size_t solution_tokens,
                              std::size_t depth_limit, bool multiple_choice) {
  const std::size_t depth = depth_limit > 1 ? depth_limit - 1 : 1;
  const std::size_t cap =
      std::min(max_new_tokens, std::max(max_new_tokens / 4, solution_tokens / depth));
  return cap + (multiple_choice ? 0 : 16);
}

}  // namespace tenfold::mcts_dpo
