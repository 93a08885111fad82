#include "dataset/tokenizer/pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <array>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"

namespace tenfold::dataset {

namespace {

// Enough for any sensible expression on a megabyte; an expression that backtracks without end
// reaches it in well under a second.
constexpr std::uint32_t kMatchLimit = 20'000'000;
constexpr std::size_t kJitStack = std::size_t{8} << 20;

std::string error_text(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};

}  // namespace

struct Pattern::Compiled {
  std::unique_ptr<pcre2_code, Freed<pcre2_code_free>> code;
  std::unique_ptr<pcre2_match_data, Freed<pcre2_match_data_free>> match;
  std::unique_ptr<pcre2_match_context, Freed<pcre2_match_context_free>> context;
  std::unique_ptr<pcre2_jit_stack, Freed<pcre2_jit_stack_free>> stack;
  bool jit = false;
  std::string where;
};

Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

Pattern::Pattern(const JsonNode& node) {
  node.only({"String", "Regex"});
  const std::optional<JsonNode> text = node.find("String");
  if (text) {
    literal_ = text->text();
    if (literal_.empty()) text->refuse("the pattern is empty");
    return;
  }
  const JsonNode expression = node.at("Regex");
  compile(translate_expression(expression.text(), expression), expression.where());
}

Pattern Pattern::of_expression(const std::string& expression, const std::string& where) {
  Pattern pattern;
  pattern.compile(expression, where);
  return pattern;
}

Pattern Pattern::of_text(std::string text) {
  Pattern pattern;
  pattern.literal_ = std::move(text);
  return pattern;
}

void Pattern::compile(const std::string& expression, const std::string& where) {
  int code = 0;
  PCRE2_SIZE at = 0;
  compiled_ = std::make_unique<Compiled>();
  compiled_->where = where;
  compiled_->code.reset(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at, nullptr));
  if (!compiled_->code) {
    throw base::Error(base::Code::kData,
                      fmt::format("{}: expression \"{}\": {} at {}", where,
                                  base::printable(expression), error_text(code), at));
  }
  compiled_->jit = pcre2_jit_compile(compiled_->code.get(), PCRE2_JIT_COMPLETE) == 0;
  compiled_->match.reset(pcre2_match_data_create_from_pattern(compiled_->code.get(), nullptr));
  compiled_->context.reset(pcre2_match_context_create(nullptr));
  base::require(compiled_->match && compiled_->context, "PCRE2 has no memory");
  pcre2_set_match_limit(compiled_->context.get(), kMatchLimit);
  if (compiled_->jit) {
    compiled_->stack.reset(pcre2_jit_stack_create(std::size_t{32} << 10, kJitStack, nullptr));
    pcre2_jit_stack_assign(compiled_->context.get(), nullptr, compiled_->stack.get());
  }
}

std::optional<Pattern::Match> Pattern::search(std::string_view text, std::size_t from) const {
  if (!literal_.empty()) {
    const std::size_t at = text.find(literal_, from);
    if (at == std::string_view::npos) return std::nullopt;
    return Match{at, at + literal_.size()};
  }
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const int found =
      compiled_->jit
          ? pcre2_jit_match(compiled_->code.get(), subject, text.size(), from, 0,
                            compiled_->match.get(), compiled_->context.get())
          : pcre2_match(compiled_->code.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK,
                        compiled_->match.get(), compiled_->context.get());
  if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found < 0) {
    throw base::Error(base::Code::kData,
                      fmt::format("{}: on a text of {} bytes: {}", compiled_->where, text.size(),
                                  error_text(found)));
  }
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(compiled_->match.get());
  return Match{ends[0], ends[1]};
}

std::optional<Pattern::Match> Pattern::find(std::string_view text, std::size_t from,
                                            std::size_t after) const {
  while (from <= text.size()) {
    const std::optional<Match> match = search(text, from);
    if (!match || match->begin != match->end || match->end != after) return match;
    if (from == text.size()) return std::nullopt;
    from += base::first_character(text.substr(from)).bytes;
  }
  return std::nullopt;
}

}  // namespace tenfold::dataset
