// Boost's own reader of config files knows no line numbers and echoes binary input raw, so the
// lines are split here: [group] sections, `name = value` or `group.name = value`, # comments.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "cli/sources.hpp"

namespace tenfold::cli {

namespace {

constexpr std::string_view kBlank = " \t\r";

std::string trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kBlank) - begin + 1));
}

// text begins with a double quote.
std::string unquote(const std::string& text, const std::string& where) {
  std::string value;
  std::size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      value += text[i];
      continue;
    }
    const char escaped = text[++i];
    value += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'r' ? '\r' : escaped;
  }
  if (i == text.size()) refuse(fmt::format("{}: the quote is not closed", where));
  const std::string rest = trim(text.substr(i + 1));
  if (!rest.empty() && rest.front() != '#') {
    refuse(fmt::format("{}: '{}' follows the closing quote", where, shown(rest)));
  }
  return value;
}

class Reader {
 public:
  Reader(const std::string& path, const Names& names) : path_(path), names_(names) {
    for (const std::string& key : names.keys()) groups_.push_back(key.substr(0, key.find('.')));
  }

  void line(const std::string& raw) {
    where_ = fmt::format("{}:{}", base::printable(path_), ++number_);
    const std::string text = trim(raw);
    if (text.empty() || text.front() == '#') return;
    if (text.front() == '[') {
      section(trim(text.substr(0, text.find('#'))));
    } else {
      setting(text);
    }
  }

  std::vector<ResolvedValue> take() { return std::move(said_); }

 private:
  void section(const std::string& text) {
    if (text.back() != ']') refuse(fmt::format("{}: '{}' lacks its ]", where_, shown(text)));
    group_ = trim(std::string_view(text).substr(1, text.size() - 2));
    if (std::find(groups_.begin(), groups_.end(), group_) == groups_.end()) {
      refuse(fmt::format("{}: unknown group [{}]", where_, shown(group_)),
             suggestion(group_, groups_));
    }
  }

  void setting(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == text.npos || text.find('#') < equals) {
      refuse(fmt::format("{}: '{}' is neither [group] nor name = value", where_, shown(text)));
    }
    const std::string name = trim(text.substr(0, equals));
    const bool whole = group_.empty() || name.find('.') != name.npos;
    const std::string key = whole ? name : group_ + "." + name;
    if (std::find(names_.keys().begin(), names_.keys().end(), key) == names_.keys().end()) {
      const std::string known = names_.key_of(name);
      refuse(fmt::format("{}: unknown key '{}'", where_, shown(key)),
             known.empty() ? suggestion(key, names_.keys())
                           : fmt::format("In files this option is {}", known));
    }
    for (const ResolvedValue& earlier : said_) {
      if (earlier.key == key) {
        refuse(fmt::format("{}: '{}' was already set at {}", where_, key, earlier.origin),
               "Remove one of them");
      }
    }
    said_.push_back({key, value(key, trim(text.substr(equals + 1))), where_});
  }

  std::string value(const std::string& key, const std::string& text) const {
    if (!text.empty() && text.front() == '"') return unquote(text, where_);
    std::string plain = trim(text.substr(0, text.find('#')));
    if (plain.empty()) {
      refuse(fmt::format("{}: '{}' has no value", where_, key),
             "Give one, \"\" for an empty text, or remove the line");
    }
    return plain;
  }

  const std::string& path_;
  const Names& names_;
  std::vector<std::string> groups_;
  std::string group_, where_;
  std::size_t number_ = 0;
  std::vector<ResolvedValue> said_;
};

}  // namespace

std::vector<ResolvedValue> read_config(const std::string& path, const Names& names) {
  std::string content;
  try {
    content = base::read_text(path, 1U << 20);
  } catch (const base::Error& error) {
    refuse(fmt::format("--config: {}", base::printable(error.message())),
           "Give a text file of options; --print-config writes one");
  }
  if (content.starts_with("\xEF\xBB\xBF")) content.erase(0, 3);  // some editors' mark for UTF-8
  Reader reader(path, names);
  for (const std::string& line : base::split(content, '\n')) reader.line(line);
  return reader.take();
}

std::string quote(const std::string& value) {
  const bool plain =
      !value.empty() && trim(value) == value && value.find_first_of("#\"\n") == value.npos;
  if (plain) return value;
  std::string text = "\"";
  for (const char c : value) {
    switch (c) {
      case '"':
        text += "\\\"";
        break;
      case '\\':
        text += "\\\\";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\t':
        text += "\\t";
        break;
      case '\r':
        text += "\\r";
        break;
      default:
        text += c;
    }
  }
  return text + "\"";
}

}  // namespace tenfold::cli
