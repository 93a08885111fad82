#include "mcts_dpo/answers/compare.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "mcts_dpo/answers/expression.hpp"
#include "mcts_dpo/answers/extract.hpp"
#include "mcts_dpo/answers/normalise.hpp"
#include "mcts_dpo/answers/symbolic_checker.hpp"

namespace tenfold::mcts_dpo {

namespace {

constexpr unsigned kPoints = 4;
/// Of doubles that stand for the same number by another way of computing.
constexpr double kRounding = 1e-9;
constexpr int kMostDepth = 4;
/// Elements of a set are matched with each other one by one.
constexpr std::size_t kMostElements = 256;

bool letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool digit(char byte) {
  return byte >= '0' && byte <= '9';
}

bool has_word(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (letter(text[i]) && letter(text[i - 1])) return true;
  }
  return false;
}

bool same_number(const Value& a, const Value& b, const CompareOptions& options) {
  const auto near = [&](const Value& x) {
    if (options.integers_exact && is_integer(x) && is_integer(b)) return close(x, b, 0);
    return close(x, b, options.tolerance);
  };
  if (near(a)) return true;
  if (!options.percent_leniency) return false;
  if (const Rational* exact = std::get_if<Rational>(&a)) {
    return near(Rational(*exact * 100)) || near(Rational(*exact / 100));
  }
  return near(approximate(a) * 100) || near(approximate(a) / 100);
}

/// Whether both have a value and it is the same; none when one of them is no expression.
std::optional<bool> same_value(std::string_view answer, std::string_view gold,
                               const CompareOptions& options) {
  unsigned compared = 0;
  for (unsigned point = 0; point < kPoints; ++point) {
    const std::optional<Evaluation> a = evaluate(answer, point);
    const std::optional<Evaluation> b = evaluate(gold, point);
    if (a && b && !a->has_variables && !b->has_variables) {
      return same_number(a->value, b->value, options);
    }
    if (!a || !b) continue;  // no value at this point, or at none
    if (!close(a->value, b->value, kRounding)) return false;
    ++compared;
  }
  if (compared == 0) return std::nullopt;
  return compared >= kPoints / 2;
}

/// Whether the bracket that the text begins with is closed by its last byte.
bool encloses(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(' || text[i] == '[') ++depth;
    if (text[i] == ')' || text[i] == ']') --depth;
    if (depth == 0) return i + 1 == text.size();
  }
  return false;
}

struct Collection {
  /// '{' for sets, 'm' for matrices (of rows), '&' for their rows; 0 for a list without brackets.
  char open = 0, close = 0;
  std::vector<std::string> elements;

  bool ordered() const { return open != '{' && open != 0; }
};

/// \begin{pmatrix} 1 & 2 ;; 3 & 4 \end{pmatrix}; which kind of matrix does not matter.
std::optional<Collection> matrix_of(std::string_view text) {
  constexpr std::string_view kBegin = "\\begin{", kEnd = "\\end{", kMatrix = "matrix}";
  if (!text.starts_with(kBegin) || !text.ends_with(kMatrix)) return std::nullopt;
  const std::size_t first = text.find(kMatrix), last = text.rfind(kEnd);
  if (last == std::string_view::npos || last < first + kMatrix.size()) return std::nullopt;
  text = text.substr(first + kMatrix.size(), last - first - kMatrix.size());
  Collection matrix{'m', 'm', split_outside_brackets(text, ";;")};
  if (matrix.elements.back().empty()) matrix.elements.pop_back();
  return matrix;
}

/// "(1, 2]", "1, 2", "1 \pm 2" and the like; none for what is no list of at least two, no set and
/// no matrix.
std::optional<Collection> collection_of(std::string_view text) {
  if (std::optional<Collection> matrix = matrix_of(text)) return matrix;
  Collection list;
  std::string_view inside = text;
  if (text.starts_with("\\{") && text.ends_with("\\}") && text.size() >= 4) {
    list.open = '{';
    list.close = '}';
    inside = text.substr(2, text.size() - 4);
    if (!balanced(inside)) return std::nullopt;  // a union of two
  } else if (text.size() >= 2 && (text.front() == '(' || text.front() == '[') &&
             (text.back() == ')' || text.back() == ']')) {
    list.open = text.front();
    list.close = text.back();
    inside = text.substr(1, text.size() - 2);
  }
  // "(1)(2)": the first and the last are no pair. "(1, 2), (3, 4)": nor are they here.
  if (list.open != 0 && list.open != '{' && !encloses(text)) {
    list.open = list.close = 0;
    inside = text;
  }
  if (list.open == 0 && inside.find('&') != std::string_view::npos) {
    return Collection{'&', '&', split_outside_brackets(inside, "&")};
  }
  list.elements = split_outside_brackets(inside, ",");
  const std::size_t pm = text.find("\\pm");
  const bool sign = pm != std::string_view::npos &&
                    (pm + 3 == text.size() || !letter(text[pm + 3]));  // \pmod is another
  if (list.open == 0 && list.elements.size() == 1 && sign) {
    list.elements = {std::string(text).replace(pm, 3, "+"), std::string(text).replace(pm, 3, "-")};
  }
  if (list.elements.size() < 2 && list.open != '{') return std::nullopt;
  if (list.elements.size() > kMostElements) return std::nullopt;
  return list;
}

bool equivalent_at(std::string_view answer, std::string_view gold, const CompareOptions& options,
                   int depth);

bool same_elements(const std::vector<std::string>& a, const std::vector<std::string>& b,
                   bool ordered, const CompareOptions& options, int depth) {
  if (a.size() != b.size()) return false;
  std::vector<bool> used(b.size(), false);
  for (std::size_t i = 0; i < a.size(); ++i) {
    bool found = false;
    const std::size_t first = ordered ? i : 0, last = ordered ? i + 1 : b.size();
    for (std::size_t j = first; j < last && !found; ++j) {
      if (used[j] || !equivalent_at(a[i], b[j], options, depth + 1)) continue;
      used[j] = true;
      found = true;
    }
    if (!found) return false;
  }
  return true;
}

/// Both are equations: the same difference of sides, or its negative.
bool same_equation(std::string_view answer, std::string_view gold) {
  const std::vector<std::string> a = split_outside_brackets(answer, "=");
  const std::vector<std::string> b = split_outside_brackets(gold, "=");
  if (a.size() != 2 || b.size() != 2) return false;
  const auto difference = [](const std::string& left, const std::string& right) {
    return fmt::format("({})-({})", left, right);
  };
  const std::string wanted = difference(b[0], b[1]);
  const std::optional<Evaluation> probe = evaluate(wanted, 0);
  if (!probe || !probe->has_variables) return false;  // "1 = 1" says nothing
  return same_value(difference(a[0], a[1]), wanted, {}).value_or(false) ||
         same_value(difference(a[1], a[0]), wanted, {}).value_or(false);
}

/// By computer algebra, where one of them has a letter, a factorial or a magnitude: numbers alone
/// are told apart above.
bool same_symbols(std::string_view answer, std::string_view gold, const CompareOptions& options) {
  if (options.symbolic == nullptr) return false;
  const auto symbol = [](char byte) { return letter(byte) || byte == '!' || byte == '|'; };
  const bool any = std::any_of(answer.begin(), answer.end(), symbol) ||
                   std::any_of(gold.begin(), gold.end(), symbol);
  return any && options.symbolic->same(answer, gold);
}

/// The number in a phrase that has one only and is no expression itself.
std::optional<std::string> single_number(std::string_view phrase) {
  const std::optional<NumberSpan> first = next_number(phrase, 0);
  if (!first) return std::nullopt;
  for (std::size_t i = 0; i < phrase.size(); ++i) {
    if (digit(phrase[i]) && (i < first->begin || i >= first->end)) return std::nullopt;
  }
  if (first->end < phrase.size() && (letter(phrase[first->end]) || phrase[first->end] == '^')) {
    return std::nullopt;
  }
  std::string number(phrase.substr(first->begin, first->end - first->begin));
  std::erase(number, ',');
  return number;
}

/// Words that are no LaTeX commands: "\ln 5" is no phrase around a 5.
bool has_plain_word(std::string_view text) {
  for (std::size_t i = 0, end = 0; i < text.size(); i = end + 1) {
    for (end = i; end < text.size() && letter(text[end]);) ++end;
    if (end - i >= 2 && (i == 0 || text[i - 1] != '\\')) return true;
  }
  return false;
}

/// "5, which is prime" is 5.
bool number_in_words(std::string_view phrase, std::string_view gold,
                     const CompareOptions& options) {
  const std::optional<std::string> number = single_number(phrase);
  return number && has_plain_word(phrase) && same_value(*number, gold, options).value_or(false);
}

/// "x = 5" and "x \in (1, 2)" without their left sides.
std::string_view right_side(std::string_view text) {
  const std::size_t in = text.rfind("\\in ");
  const std::size_t equal = text.rfind('=');
  if (in != std::string_view::npos) return text.substr(in + 4);
  if (equal == std::string_view::npos) return text;
  if (equal > 0 && std::string_view("<>!").find(text[equal - 1]) != std::string_view::npos) {
    return text;  // "x <= 5" is not 5
  }
  text.remove_prefix(equal + 1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

/// "1 or 2" and "1 and 2" as "1 , 2".
std::string with_commas(std::string_view text) {
  std::string list(text);
  for (const std::string_view word : {" or ", " and "}) {
    for (std::size_t at; (at = list.find(word)) != std::string::npos;) {
      list.replace(at, word.size(), " , ");
    }
  }
  return list;
}

bool equivalent_at(std::string_view answer, std::string_view gold, const CompareOptions& options,
                   int depth) {
  if (answer.empty() || gold.empty()) return false;
  if (canonical_answer(answer) == canonical_answer(gold)) return true;
  if (depth > kMostDepth) return false;
  if (answer.size() > kMostExpressionBytes || gold.size() > kMostExpressionBytes) return false;

  const std::optional<Collection> b = collection_of(gold);
  const bool listed = b && b->open == 0;  // "x = 1, y = 2" too is taken apart before its equations
  const std::optional<Collection> a =
      collection_of(listed ? with_commas(answer) : std::string(answer));
  if (listed)
    return a && a->open == 0 && same_elements(a->elements, b->elements, false, options, depth);

  if (a && a->open == 0 && !b) return !has_word(gold) && number_in_words(answer, gold, options);

  const bool answer_equation = answer.find('=') != std::string_view::npos;
  const bool gold_equation = gold.find('=') != std::string_view::npos;
  if (answer_equation && gold_equation && same_equation(answer, gold)) return true;
  if (right_side(answer) != answer || right_side(gold) != gold) {
    // Two equations for different things are not the same because their right sides are.
    if (answer_equation && gold_equation) return same_symbols(answer, gold, options);
    return equivalent_at(right_side(answer), right_side(gold), options, depth + 1);
  }
  const std::vector<std::string> a_parts = split_outside_brackets(answer, "\\cup");
  const std::vector<std::string> b_parts = split_outside_brackets(gold, "\\cup");
  if (a_parts.size() > 1 || b_parts.size() > 1) {
    return same_elements(a_parts, b_parts, true, options, depth);
  }
  if (b) {
    if (!a || a->open != b->open || a->close != b->close) return false;
    return same_elements(a->elements, b->elements, b->ordered(), options, depth);
  }
  if (a) return false;
  const std::optional<bool> same = same_value(answer, gold, options);
  if (same.value_or(false)) return true;
  if (!same && !has_word(gold) && !evaluate(answer, 0) && number_in_words(answer, gold, options)) {
    return true;
  }
  return same_symbols(answer, gold, options);
}

}  // namespace

std::vector<std::size_t> named_choices(std::string_view phrase, std::size_t choices) {
  std::vector<std::size_t> in_brackets, alone;
  const auto add = [](std::vector<std::size_t>& list, std::size_t choice) {
    if (std::find(list.begin(), list.end(), choice) == list.end()) list.push_back(choice);
  };
  for (std::size_t i = 0; i < phrase.size(); ++i) {
    const std::size_t choice = static_cast<std::size_t>(phrase[i]) - 'A';
    if (phrase[i] < 'A' || choice >= choices) continue;
    const char before = i == 0 ? ' ' : phrase[i - 1];
    const char after = i + 1 == phrase.size() ? ' ' : phrase[i + 1];
    if (before == '(' && after == ')') add(in_brackets, choice);
    const auto part = [](char byte) {
      return letter(byte) || digit(byte) || byte == '\'' || byte == '_' || (byte & 0x80) != 0;
    };
    if (part(before) || part(after)) continue;
    // "A bird": an article.
    const bool article = phrase[i] == 'A' && after == ' ' && i + 2 < phrase.size() &&
                         phrase[i + 2] >= 'a' && phrase[i + 2] <= 'z';
    if (!article) add(alone, choice);
  }
  return in_brackets.empty() ? alone : in_brackets;
}

std::string_view verdict_name(Verdict verdict) {
  constexpr std::array<std::string_view, 3> kNames = {"right", "wrong", "unparsable"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

bool equivalent(std::string_view answer, std::string_view gold, const CompareOptions& options) {
  if (answer.size() > kMostAnswerBytes || gold.size() > kMostAnswerBytes) return false;
  return equivalent_at(normalised_answer(answer), normalised_answer(gold), options, 0);
}

Verdict judge(std::string_view text, std::string_view gold, const CompareOptions& options) {
  const std::optional<ExtractedAnswer> found = extract_answer(text);
  if (!found) return Verdict::kUnparsable;
  if (equivalent(found->text, gold, options)) return Verdict::kRight;
  const std::string normal = normalised_answer(found->text);
  return normal.empty() || !balanced(normal) ? Verdict::kUnparsable : Verdict::kWrong;
}

ChoiceGrade grade_choice(std::string_view text, std::span<const std::string> choices,
                         std::string_view key, bool graded) {
  base::require(
      key.size() == 1 && key[0] >= 'A' && static_cast<std::size_t>(key[0] - 'A') < choices.size(),
      "an answer key that is no choice");
  const auto right = static_cast<std::size_t>(key[0] - 'A');
  const std::optional<ExtractedAnswer> found = extract_answer(text);
  if (!found || found->source == AnswerSource::kLastNumber) {
    return {Verdict::kUnparsable, -1};
  }
  const std::vector<std::size_t> named = named_choices(found->text, choices.size());
  if (named.size() == 1) {
    return named[0] == right ? ChoiceGrade{Verdict::kRight, 1} : ChoiceGrade{Verdict::kWrong, -1};
  }
  if (!named.empty()) {
    const bool among = std::find(named.begin(), named.end(), right) != named.end();
    return {Verdict::kWrong, graded && among ? 0.9 / static_cast<double>(named.size()) : -1};
  }
  const std::string phrase = canonical_answer(normalised_answer(found->text));
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (canonical_answer(normalised_answer(choices[i])) != phrase) continue;
    return {Verdict::kWrong, graded && i == right ? 0.0 : -1.0};
  }
  return {Verdict::kUnparsable, -1};
}

}  // namespace tenfold::mcts_dpo
