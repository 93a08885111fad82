#include "mcts_dpo/answers/normalise.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace tenfold::mcts_dpo {

namespace {

using Replacement = std::pair<std::string_view, std::string_view>;

bool digit(char byte) {
  return byte >= '0' && byte <= '9';
}

bool letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool space(char byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/// In order; a LaTeX command is replaced only where it is not the beginning of a longer one.
constexpr std::array kReplacements = std::to_array<Replacement>({
    {"−", "-"},
    {"–", "-"},
    {"—", "-"},
    {"×", "*"},
    {"·", "*"},
    {"⋅", "*"},
    {"÷", "/"},
    {"π", "\\pi "},
    {"√", "\\sqrt "},
    {"∞", "\\infty "},
    {"∪", "\\cup "},
    {"½", "\\frac{1}{2}"},
    {"¼", "\\frac{1}{4}"},
    {"¾", "\\frac{3}{4}"},
    {"²", "^2"},
    {"³", "^3"},
    {"°", ""},
    {"€", ""},
    {"£", ""},
    {"¥", ""},
    {"\u00a0", " "},
    {"\u2009", " "},
    {"\u202f", " "},
    {"**", ""},
    {"\\(", ""},
    {"\\)", ""},
    {"\\[", ""},
    {"\\]", ""},
    {"\\! ", ""},  // "11,\! 111" is one number
    {"\\!", ""},
    {"\\,", " "},
    {"\\;", " "},
    {"\\:", " "},
    {"\\ ", " "},
    {"~", " "},
    {"\\$", ""},
    {"$", ""},
    {"\\%", ""},
    {"%", ""},
    {"{,}", ","},
    {"\\left", ""},
    {"\\right", ""},
    {"\\displaystyle", ""},
    {"\\quad", " "},
    {"\\dfrac", "\\frac"},
    {"\\tfrac", "\\frac"},
    {"\\cfrac", "\\frac"},
    {"\\cdot", "*"},
    {"\\times", "*"},
    {"\\ast", "*"},
    {"\\div", "/"},
    {"^{\\circ}", ""},
    {"^\\circ", ""},
    {"\\circ", ""},
    {"\\degree", ""},
    {"\\leq", "\\le"},
    {"\\geq", "\\ge"},
    {"\\lbrace", "\\{"},
    {"\\rbrace", "\\}"},
});

std::string replaced(std::string_view text) {
  std::string from(text), to;
  // Two backslashes begin a row of a matrix; elsewhere they are one that was escaped twice.
  const std::string_view row = text.find("\\begin{") != std::string_view::npos ? ";;" : "\\";
  for (std::size_t at = 0; (at = from.find("\\\\", at)) != std::string::npos; at += row.size()) {
    from.replace(at, 2, row);
  }
  for (const auto& [what, with] : kReplacements) {
    const bool command = what.front() == '\\' && letter(what.back());
    to.clear();
    std::size_t at = 0;
    for (std::size_t found; (found = from.find(what, at)) != std::string::npos;) {
      const std::size_t end = found + what.size();
      const bool longer = command && end < from.size() && letter(from[end]);
      to.append(from, at, found - at);
      to += longer ? what : with;
      at = end;
    }
    to.append(from, at);
    from.swap(to);
  }
  return from;
}

/// Behind the brace that closes the one at `open`; npos when none does.
std::size_t behind_group(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

/// \text{ cm} becomes " cm ": the words stand apart from what is around them.
std::string without_text_commands(std::string text) {
  constexpr std::array<std::string_view, 7> kCommands = {
      "\\text{", "\\mbox{", "\\textbf{", "\\textit{", "\\textrm{", "\\mathrm{", "\\mathbf{"};
  for (const std::string_view command : kCommands) {
    std::string plain;
    std::size_t at = 0;
    for (std::size_t found; (found = text.find(command, at)) != std::string::npos;) {
      const std::size_t open = found + command.size() - 1;
      const std::size_t end = behind_group(text, open);
      if (end == std::string::npos) break;
      plain.append(text, at, found - at);
      plain += ' ';
      plain.append(text, open + 1, end - open - 2);
      plain += ' ';
      at = end;
    }
    plain.append(text, at);
    text = std::move(plain);
  }
  return text;
}

/// An argument of \frac or \sqrt that has no braces is one symbol: a digit, a letter or a command.
std::size_t argument_end(std::string_view text, std::size_t at) {
  if (at >= text.size()) return at;
  if (text[at] == '{') return std::min(behind_group(text, at), text.size());
  if (text[at] != '\\') return at + 1;
  std::size_t end = at + 1;
  while (end < text.size() && letter(text[end])) ++end;
  return end;
}

/// Gives \frac12, \frac1{2} and \sqrt3 their braces.
std::string braced(std::string_view text, std::string_view command, int arguments) {
  std::string whole;
  std::size_t at = 0;
  for (std::size_t found; (found = text.find(command, at)) != std::string_view::npos;) {
    std::size_t next = found + command.size();
    whole.append(text.substr(at, next - at));
    for (int i = 0; i < arguments && next < text.size(); ++i) {
      while (next < text.size() && text[next] == ' ') ++next;
      if (next < text.size() && (text[next] == '{' || text[next] == '[')) {
        // Its inside is looked at in the next round of the outer loop.
        if (i + 1 == arguments || text[next] == '[') break;
        const std::size_t end = argument_end(text, next);
        whole += braced(text.substr(next, end - next), command, arguments);
        next = end;
        continue;
      }
      const std::size_t end = argument_end(text, next);
      whole += '{';
      whole.append(text.substr(next, end - next));
      whole += '}';
      next = end;
    }
    at = next;
  }
  whole.append(text.substr(at));
  return whole;
}

/// x^{2} becomes x^2, a_{1} a_1.
std::string without_single_groups(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    plain += text[i];
    const bool script = text[i] == '^' || text[i] == '_';
    if (script && i + 3 < text.size() && text[i + 1] == '{' && text[i + 3] == '}') {
      plain += text[i + 2];
      i += 3;
    }
  }
  return plain;
}

std::string single_spaces(std::string_view text) {
  std::string plain;
  for (const char byte : text) {
    if (!space(byte)) {
      plain += byte;
    } else if (!plain.empty() && plain.back() != ' ') {
      plain += ' ';
    }
  }
  while (!plain.empty() && plain.back() == ' ') plain.pop_back();
  return plain;
}

std::size_t digits_from(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && digit(text[end])) ++end;
  return end - at;
}

/// 1,234,567 becomes 1234567, outside of brackets: in them a comma parts elements.
std::string without_thousands(std::string_view text) {
  std::string plain;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(' || text[i] == '[' || text[i] == '{') ++depth;
    if (text[i] == ')' || text[i] == ']' || text[i] == '}') --depth;
    const bool begins = i == 0 || (!digit(text[i - 1]) && text[i - 1] != ',' && text[i - 1] != '.');
    const std::size_t lead = depth == 0 && begins ? digits_from(text, i) : 0;
    std::size_t end = i + lead;
    while (end < text.size() && text[end] == ',' && digits_from(text, end + 1) == 3) end += 4;
    const bool list = end < text.size() && text[end] == ',' && digits_from(text, end + 1) > 0;
    if (lead < 1 || lead > 3 || end == i + lead || list) {
      plain += text[i];
      continue;
    }
    for (; i < end; ++i) {
      if (text[i] != ',') plain += text[i];
    }
    --i;
  }
  return plain;
}

/// Words behind a number that are its unit. A single letter is a unit only if it is a known one
/// behind a space; otherwise it is a variable.
std::string_view without_unit(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0) {
    const char byte = text[begin - 1];
    const bool power = (byte == '2' || byte == '3') && begin > 1 && text[begin - 2] == '^';
    if (!power && !letter(byte) && byte != ' ' && byte != '.' && byte != '/' && byte != '^') break;
    --begin;
  }
  while (begin < text.size() && !letter(text[begin])) ++begin;
  if (begin == text.size() || begin == 0) return text;
  std::size_t number_end = begin;
  while (number_end > 0 && text[number_end - 1] == ' ') --number_end;
  if (number_end == 0) return text;
  const char last = text[number_end - 1];
  if (!digit(last) && last != '}' && last != ')') return text;
  const bool apart = number_end < begin;
  const std::string_view unit = text.substr(begin);
  std::size_t word_end = 0;
  while (word_end < unit.size() && letter(unit[word_end])) ++word_end;
  const std::string_view word = unit.substr(0, word_end);
  constexpr std::array<std::string_view, 20> kAttached = {
      "cm", "mm", "km", "kg",  "mg", "ml",  "mL",  "min", "hr", "hrs",
      "ft", "in", "lb", "lbs", "oz", "mph", "kph", "th",  "rd", "nd"};
  constexpr std::array<std::string_view, 6> kSingle = {"m", "g", "s", "h", "L", "l"};
  const auto in = [&](const auto& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  const bool joins = word == "and" || word == "or" || word == "to";  // "5 or 6 apples"
  if (joins) return text;
  if (apart ? word.size() >= 2 || in(kSingle) : in(kAttached)) return text.substr(0, number_end);
  return text;
}

}  // namespace

std::string normalised_answer(std::string_view answer) {
  std::string text = without_text_commands(replaced(answer));
  text = braced(braced(text, "\\frac", 2), "\\sqrt", 1);
  text = without_single_groups(single_spaces(text));
  while (!text.empty() && std::string_view(" ,;:").find(text.back()) != std::string_view::npos) {
    text.pop_back();
  }
  if (!text.empty() && text.back() == '.' && !text.ends_with("..")) text.pop_back();
  return single_spaces(without_unit(without_thousands(text)));
}

std::string canonical_answer(std::string_view normalised) {
  std::string text;
  bool words = false;
  for (std::size_t i = 0; i < normalised.size(); ++i) {
    if (!space(normalised[i])) text += normalised[i];
    words = words || (i > 0 && letter(normalised[i]) && letter(normalised[i - 1]));
  }
  if (words && text.find('\\') == std::string::npos) {
    for (char& byte : text) {
      if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
    }
  }
  return text;
}

bool balanced(std::string_view text) {
  int braces = 0, others = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{') ++braces;
    if (text[i] == '}') --braces;
    if (text[i] == '(' || text[i] == '[') ++others;
    if (text[i] == ')' || text[i] == ']') --others;
    if (braces < 0 || others < 0) return false;
  }
  return braces == 0 && others == 0;
}

std::vector<std::string> split_outside_brackets(std::string_view text, std::string_view separator) {
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(' || text[i] == '[' || text[i] == '{') ++depth;
    if (text[i] == ')' || text[i] == ']' || text[i] == '}') --depth;
    if (depth == 0 && text.substr(i, separator.size()) == separator) {
      pieces.push_back(single_spaces(text.substr(begin, i - begin)));
      begin = i + separator.size();
      i = begin - 1;
    }
  }
  pieces.push_back(single_spaces(text.substr(begin)));
  return pieces;
}

}  // namespace tenfold::mcts_dpo
