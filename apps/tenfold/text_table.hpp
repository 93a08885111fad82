// Columns of text under headings.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tenfold::tool {

/// Places on a terminal that a UTF-8 text takes, for texts without wide characters.
std::size_t display_width(const std::string& text);
std::string pad(const std::string& text, std::size_t width, bool right = false);

class TextTable {
 public:
  /// Headings that start with '>' make a column aligned to the right.
  explicit TextTable(std::vector<std::string> headings);
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// Lines ending in newlines, each starting with indent.
  std::string text(const std::string& indent = "") const;

 private:
  std::vector<std::string> headings_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

/// "12 345" style is hard to copy: plain digits for whole numbers, four significant ones otherwise.
std::string short_number(double value);
/// "2026-01-31 12:00:00" of Unix time, UTC.
std::string utc_text(double wall_s);

}  // namespace tenfold::tool
