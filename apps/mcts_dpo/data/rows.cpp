#include "mcts_dpo/data/rows.hpp"

#include <algorithm>
#include <cstdint>

namespace tenfold::mcts_dpo {

namespace {

bool space(char byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

/// Behind the JSON value that begins at `begin`: its closing bracket, or a comma or bracket that is
/// not its own. npos when it never ends.
std::size_t value_end(std::string_view text, std::size_t begin) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char byte = text[i];
    if (quoted) {
      if (byte == '\\') ++i;
      quoted = byte != '"';
      continue;
    }
    if (byte == '"') quoted = true;
    if (depth == 0 && (byte == ',' || byte == ']' || byte == '}')) return i;
    if (byte == '{' || byte == '[') ++depth;
    if (byte == '}' || byte == ']') --depth;
    if (depth == 0 && (byte == '}' || byte == ']')) return i + 1;
  }
  return std::string_view::npos;
}

std::vector<Row> array_rows(std::string_view text, std::size_t begin) {
  std::vector<Row> rows;
  std::size_t counted = 0, line = 1;
  const auto line_at = [&](std::size_t at) {
    line +=
        static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                            text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted = at;
    return line;
  };
  std::size_t at = begin + 1;
  bool closed = false;
  while (true) {
    while (at < text.size() && (space(text[at]) || text[at] == ',')) ++at;
    if (at == text.size()) break;
    if (text[at] == ']') {
      closed = true;
      ++at;
      break;
    }
    // A brace that closes nothing is a row by itself, which the parser will refuse.
    const std::size_t end = std::min(std::max(value_end(text, at), at + 1), text.size());
    rows.push_back({trimmed(text.substr(at, end - at)), line_at(at)});
    at = end;
  }
  // An array that was cut off, or that has something behind it, is not what it seems.
  const std::string_view rest = trimmed(text.substr(at));
  if (!closed) rows.push_back({"[", line_at(text.size())});
  if (!rest.empty()) rows.push_back({rest, line_at(at)});
  return rows;
}

}  // namespace

std::vector<Row> split_rows(std::string_view text, bool one_object) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto first =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), space) - text.begin());
  if (first == text.size()) return {};
  if (text[first] == '[') return array_rows(text, first);
  const auto lines_before = static_cast<std::size_t>(
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(first), '\n'));
  if (one_object && text[first] == '{') {
    const std::string_view line = text.substr(first, text.find('\n', first) - first);
    if (value_end(line, 0) == std::string_view::npos) return {{trimmed(text), lines_before + 1}};
  }
  std::vector<Row> rows;
  std::size_t number = 1;
  for (std::size_t begin = 0; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trimmed(text.substr(begin, end - begin));
    if (!line.empty()) rows.push_back({line, number});
    begin = end + 1;
  }
  return rows;
}

}  // namespace tenfold::mcts_dpo
