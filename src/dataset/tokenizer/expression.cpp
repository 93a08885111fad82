// From Oniguruma's syntax of regular expressions (as tokenizer.json holds them) to PCRE2's.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.hpp"
#include "dataset/tokenizer/pattern.hpp"

namespace tenfold::dataset {

namespace {

// Unicode's White_Space, which is Oniguruma's \s; PCRE2's has U+180E, too.
constexpr const char* kSpaces =
    R"(\x{9}-\x{D} \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";

constexpr std::array<const char*, 37> kCategories{
    "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N",  "Nd", "Nl",
    "No", "P",  "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S",  "Sm", "Sc", "Sk",
    "So", "Z",  "Zs", "Zl", "Zp", "C",  "Cc", "Cf", "Cn", "Co", "Cs"};
constexpr std::array<const char*, 16> kScripts{
    "Han",    "Hiragana", "Katakana", "Hangul",  "Latin",   "Greek", "Cyrillic",   "Arabic",
    "Hebrew", "Thai",     "Lao",      "Tibetan", "Myanmar", "Khmer", "Devanagari", "Bengali"};

template <class Names>
bool holds(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Translator {
 public:
  Translator(const std::string& expression, const JsonNode& node) : in_(expression), node_(node) {}

  std::string translate() {
    while (at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '\\') {
        escape(false);
      } else if (c == '[') {
        character_class();
      } else if (c == '(') {
        group();
      } else if (c == '{') {
        interval();
      } else if (c == '^' || c == '$') {
        refuse(std::string(1, c));
      } else {
        out_ += c;
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    node_.refuse(fmt::format("\"{}\" is not supported in a regular expression, in {}",
                             base::printable(what), base::printable(in_)));
  }

  void keep(std::size_t count) {
    out_ += in_.substr(at_, count);
    at_ += count;
  }

  void escape(bool in_class) {
    const char c = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
    const std::string spelled = in_.substr(at_, 2);
    if (c == 's') {
      out_ += in_class ? std::string(kSpaces) : fmt::format("[{}]", kSpaces);
      at_ += 2;
    } else if (c == 'S' && !in_class) {
      out_ += fmt::format("[^{}]", kSpaces);
      at_ += 2;
    } else if (c == 'p' || c == 'P') {
      property();
    } else if (c == 'x' || c == 'u') {
      code_point(c);
    } else if (std::string_view("dDrntf").find(c) != std::string_view::npos ||
               (std::string_view("Az").find(c) != std::string_view::npos && !in_class) ||
               std::ispunct(static_cast<unsigned char>(c)) != 0 || c == ' ') {
      keep(2);
    } else {
      refuse(spelled);
    }
  }

  void property() {
    const std::size_t end = in_.find('}', at_);
    if (at_ + 2 >= in_.size() || in_[at_ + 2] != '{' || end == std::string::npos) {
      refuse(in_.substr(at_, 3));
    }
    std::string name = in_.substr(at_ + 3, end - at_ - 3);
    const std::string spelled = in_.substr(at_, end + 1 - at_);
    const bool negated = name.starts_with('^');
    if (negated) name.erase(0, 1);
    const bool script = holds(kScripts, name);
    if (!script && !holds(kCategories, name)) refuse(spelled);
    // PCRE2 takes a bare script's name to mean the characters that are also used with it.
    out_ += fmt::format("{}{{{}{}{}}}", in_.substr(at_, 2), negated ? "^" : "", script ? "sc:" : "",
                        name);
    at_ = end + 1;
  }

  void code_point(char kind) {
    std::size_t begin = at_ + 2, end = begin;
    const bool braces = kind == 'x' && begin < in_.size() && in_[begin] == '{';
    if (braces) end = ++begin;
    const std::size_t most = braces ? 6 : (kind == 'x' ? 2 : 4);
    while (end < in_.size() && end - begin < most &&
           std::isxdigit(static_cast<unsigned char>(in_[end])) != 0) {
      ++end;
    }
    const bool whole =
        braces ? end > begin && end < in_.size() && in_[end] == '}' : end - begin == most;
    if (!whole) refuse(in_.substr(at_, end - at_));
    out_ += fmt::format("\\x{{{}}}", in_.substr(begin, end - begin));
    at_ = end + (braces ? 1 : 0);
  }

  void character_class() {
    const std::size_t begin = at_;
    keep(1);
    if (at_ < in_.size() && in_[at_] == '^') keep(1);
    bool empty = true;
    while (at_ < in_.size() && in_[at_] != ']') {
      if (in_[at_] == '[') refuse("[ in [");
      if (in_.compare(at_, 2, "&&") == 0) refuse("&&");
      if (in_[at_] == '\\') {
        escape(true);
      } else {
        keep(1);
      }
      empty = false;
    }
    if (empty || at_ == in_.size()) refuse(in_.substr(begin));
    keep(1);
  }

  void group() {
    if (in_.compare(at_, 2, "(?") != 0) return keep(1);
    for (const char* kind : {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:"}) {
      const std::string_view text(kind);
      if (in_.compare(at_, text.size(), text) == 0) return keep(text.size());
    }
    refuse(in_.substr(at_, 4));
  }

  void interval() {
    std::size_t end = at_ + 1;
    while (end < in_.size() && (std::isdigit(static_cast<unsigned char>(in_[end])) != 0)) ++end;
    if (end == at_ + 1) refuse(in_.substr(at_, 3));
    if (end < in_.size() && in_[end] == ',') ++end;
    while (end < in_.size() && (std::isdigit(static_cast<unsigned char>(in_[end])) != 0)) ++end;
    if (end == in_.size() || in_[end] != '}') refuse(in_.substr(at_, end - at_));
    // Oniguruma reads {n}+ as a repeated group, and {n}? as an optional one.
    const char next = end + 1 < in_.size() ? in_[end + 1] : '\0';
    if (next == '+' || next == '?' || next == '*') refuse(in_.substr(at_, end + 2 - at_));
    keep(end + 1 - at_);
  }

  const std::string& in_;
  const JsonNode& node_;
  std::string out_;
  std::size_t at_ = 0;
};

}  // namespace

std::string translate_expression(const std::string& expression, const JsonNode& node) {
  return Translator(expression, node).translate();
}

}  // namespace tenfold::dataset
