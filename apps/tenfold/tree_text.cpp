#include "tenfold/tree_text.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/text.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {

namespace {

struct Art {
  const char *branch, *last, *down, *none, *newline, *cut;
};
constexpr Art kUnicode{"├─", "└─", "│ ", "  ", "⏎", "…"};
constexpr Art kAscii{"|-", "`-", "| ", "  ", "\\n", "..."};

// Bits of /nodes/flags that say something which no other column does.
constexpr std::array<std::pair<std::uint32_t, const char*>, 6> kFlags{
    {{kEndFlag, "end"},
     {kCutFlag, "cut"},
     {kGivenFlag, "given"},
     {kNoAnswerFlag, "no answer"},
     {kDeadEndFlag, "dead end"},
     {kNoOpinionFlag, "no opinion"}}};

/// On one line of a terminal.
std::string one_line(const std::string& text, const Art& art) {
  std::vector<std::string> lines;
  for (const std::string& line : base::split(text, '\n')) lines.push_back(base::printable(line));
  std::string joined = base::join(lines, std::string(art.newline) + " ");
  // A newline at either end tells nothing.
  const std::string edge = std::string(art.newline) + " ";
  while (joined.starts_with(edge)) joined.erase(0, edge.size());
  while (joined.ends_with(edge)) joined.erase(joined.size() - edge.size());
  return joined;
}

std::string cut(const std::string& text, std::size_t width, const Art& art) {
  if (display_width(text) <= width) return text;
  const std::size_t mark = display_width(art.cut);
  std::string kept;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t next = at + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xC0U) == 0x80U) ++next;
    if (used + 1 + mark > width) break;
    kept += text.substr(at, next - at);
    ++used;
    at = next;
  }
  return kept + (width >= mark ? art.cut : "");
}

std::string number(double value) {
  return fmt::format("{:+.2f}", value);
}

class Drawing {
 public:
  Drawing(const StoredTree& tree, std::size_t width, bool ascii)
      : tree_(tree), width_(width), art_(ascii ? kAscii : kUnicode) {}

  std::string text() {
    out_ = fmt::format("{:>5} {:>6} {:>6} {:>6} {:>6} {:>6}\n", "N", "Q", "V", "R", "C", "p");
    draw(0, "", "");
    return out_;
  }

 private:
  std::string marks(std::uint32_t node) const {
    std::string marks;
    for (const StoredPair& pair : tree_.pairs) {
      if (pair.winner == node)
        marks += fmt::format(" [W alpha {:.2f}, gap {:.2f}]", pair.alpha, pair.gap);
      if (pair.loser == node) marks += " [L]";
    }
    if (const auto found = tree_.dropped.find(node); found != tree_.dropped.end()) {
      marks += " [no pair below: " + found->second + "]";
    }
    for (const auto& [bit, word] : kFlags) {
      if ((tree_.nodes[node].flags & bit) != 0) marks += fmt::format(" [{}]", word);
    }
    if (tree_.nodes[node].right()) marks += " [right]";
    if (tree_.nodes[node].wrong()) marks += " [wrong]";
    return marks;
  }

  void draw(std::uint32_t node, const std::string& before, const std::string& indent) {
    const StoredNode& each = tree_.nodes[node];
    const std::string numbers = fmt::format("{:>5} {:>6} {:>6} {:>6} {:>6} {:>6}", each.visits,
                                            node == 0 ? "" : number(each.q), number(each.v),
                                            number(each.reward), number(each.self_evaluation),
                                            node == 0 ? "" : fmt::format("{:.3f}", each.prior));
    const std::string head = fmt::format("{} {} {}", numbers, each.committed ? ">" : " ", before);
    const std::string tail = marks(node);
    const std::size_t used = display_width(head) + display_width(tail);
    const std::size_t room = width_ > used + 8 ? width_ - used : 8;
    out_ += head + cut(one_line(each.text, art_), room, art_) + tail + "\n";
    for (std::size_t k = 0; k < each.children.size(); ++k) {
      const bool last = k + 1 == each.children.size();
      draw(each.children[k], indent + (last ? art_.last : art_.branch),
           indent + (last ? art_.none : art_.down));
    }
  }

  const StoredTree& tree_;
  std::size_t width_;
  Art art_;
  std::string out_;
};

}  // namespace

std::string tree_text(const StoredTree& tree, std::size_t width, bool ascii) {
  return Drawing(tree, width, ascii).text();
}

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* columns = std::getenv("COLUMNS");
  const long given = columns == nullptr ? 0 : std::strtol(columns, nullptr, 10);
  return given >= 40 && given <= 10000 ? static_cast<std::size_t>(given) : 120;
}

}  // namespace tenfold::tool
