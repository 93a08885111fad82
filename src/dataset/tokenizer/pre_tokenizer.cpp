#include "dataset/tokenizer/pre_tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "dataset/tokenizer/byte_alphabet.hpp"

namespace tenfold::dataset {

namespace {

constexpr const char* kSupported =
    "supported: Sequence, ByteLevel, Split, Digits, Punctuation, WhitespaceSplit, Metaspace";

// GPT-2's: contractions, and runs of letters, of digits, of others, each with a space before it.
constexpr const char* kWords =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace

PreTokenizer::PreTokenizer(const JsonNode& root) {
  const std::optional<JsonNode> node = root.find("pre_tokenizer");
  if (node) add(*node);
  bytes_ = !steps_.empty() && steps_.back().kind == Step::Kind::kAlphabet;
  if (bytes_) steps_.pop_back();
}

void PreTokenizer::add(const JsonNode& node) {
  const std::string& type = node.type();
  if (type == "Sequence") {
    node.only({"type", "pretokenizers"});
    for (const JsonNode& element : node.at("pretokenizers").elements()) add(element);
  } else if (type == "ByteLevel") {
    add_byte_level(node);
  } else if (type == "Split") {
    node.only({"type", "pattern", "behavior", "invert"});
    add_split(Pattern(node.at("pattern")), behavior(node.at("behavior")),
              node.boolean_or("invert", false));
  } else if (type == "Digits") {
    node.only({"type", "individual_digits"});
    const bool single = node.boolean_or("individual_digits", false);
    add_split(Pattern::of_expression(R"(\p{N})"),
              single ? Behavior::kIsolated : Behavior::kContiguous, false);
  } else if (type == "Punctuation") {
    node.only({"type", "behavior"});
    const std::optional<JsonNode> named = node.find("behavior");
    add_split(Pattern::of_expression(R"([\p{P}$+<=>^`|~])"),
              named ? behavior(*named) : Behavior::kIsolated, false);
  } else if (type == "WhitespaceSplit") {
    node.only({"type"});
    add_split(Pattern::of_expression(R"((?!\x{180E})\s)"), Behavior::kRemoved, false);
  } else if (type == "Metaspace") {
    add_metaspace(node);
  } else {
    node.refuse(fmt::format("type \"{}\" is not supported", base::printable(type)), kSupported);
  }
}

void PreTokenizer::add_byte_level(const JsonNode& node) {
  node.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  if (node.boolean_or("add_prefix_space", true)) {
    Step& step = steps_.emplace_back();
    step.kind = Step::Kind::kSpace;
  }
  if (node.boolean_or("use_regex", true)) {
    add_split(Pattern::of_expression(translate_expression(kWords, node)), Behavior::kIsolated,
              false);
  }
  steps_.emplace_back().kind = Step::Kind::kAlphabet;
}

void PreTokenizer::add_metaspace(const JsonNode& node) {
  node.only({"type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep"});
  Step step;
  step.kind = Step::Kind::kMetaspace;
  step.marker = node.at("replacement").text();
  const std::string_view marker(step.marker);
  if (marker.empty() ||
      static_cast<std::size_t>(base::first_character(marker).bytes) != marker.size()) {
    node.at("replacement").refuse("not one character");
  }
  const std::optional<JsonNode> spelled = node.find("str_rep");
  if (spelled && spelled->text() != step.marker) spelled->refuse("not the same as \"replacement\"");
  const std::optional<JsonNode> scheme = node.find("prepend_scheme");
  const std::string word = scheme ? scheme->text() : "always";
  if (word == "always") {
    step.prepend = Step::Prepend::kAlways;
  } else if (word == "first") {
    step.prepend = Step::Prepend::kFirst;
  } else if (word == "never") {
    step.prepend = Step::Prepend::kNever;
  } else {
    scheme->refuse(fmt::format("\"{}\" is not supported", base::printable(word)));
  }
  // Files before prepend_scheme: only add_prefix_space, and where both stand, they must agree.
  if (!node.boolean_or("add_prefix_space", true)) {
    if (scheme && step.prepend != Step::Prepend::kNever) {
      node.at("add_prefix_space").refuse("contradicts \"prepend_scheme\"");
    }
    step.prepend = Step::Prepend::kNever;
  }
  const std::string marked = step.marker;
  steps_.push_back(std::move(step));
  if (node.boolean_or("split", true)) {
    add_split(Pattern::of_text(marked), Behavior::kWithNext, false);
  }
}

void PreTokenizer::add_split(Pattern pattern, Behavior behavior, bool invert) {
  Step& step = steps_.emplace_back();
  step.pattern = std::move(pattern);
  step.behavior = behavior;
  step.invert = invert;
}

PreTokenizer::Behavior PreTokenizer::behavior(const JsonNode& node) {
  const std::string& word = node.text();
  if (word == "Removed") return Behavior::kRemoved;
  if (word == "Isolated") return Behavior::kIsolated;
  if (word == "Contiguous") return Behavior::kContiguous;
  if (word == "MergedWithPrevious") return Behavior::kWithPrevious;
  if (word == "MergedWithNext") return Behavior::kWithNext;
  node.refuse(fmt::format("\"{}\" is not supported", base::printable(word)));
}

void PreTokenizer::run(std::size_t at, const Piece& piece, WordSink& sink) const {
  if (piece.text.empty()) return;
  if (at == steps_.size()) return sink.word(piece.text);
  const Step& step = steps_[at];
  switch (step.kind) {
    case Step::Kind::kSplit:
      if (step.behavior == Behavior::kIsolated) return run_isolated(at, piece, sink);
      return run_split(at, piece, sink);
    case Step::Kind::kSpace: {
      if (piece.bare || piece.text.starts_with(' ')) return run(at + 1, piece, sink);
      const std::string spaced = " " + std::string(piece.text);
      return run(at + 1, {spaced, piece.first, piece.bare}, sink);
    }
    case Step::Kind::kAlphabet: {
      const std::string spelled = spell_bytes(piece.text);
      return run(at + 1, {spelled, piece.first, piece.bare}, sink);
    }
    case Step::Kind::kMetaspace:
      return run_metaspace(at, piece, sink);
  }
}

void PreTokenizer::pass(std::size_t at, const Piece& whole, std::size_t begin, std::size_t end,
                        WordSink& sink) const {
  if (begin == end) return;
  const bool front = begin == 0;
  run(at + 1, {whole.text.substr(begin, end - begin), whole.first && front, whole.bare && front},
      sink);
}

void PreTokenizer::run_isolated(std::size_t at, const Piece& piece, WordSink& sink) const {
  const Pattern& pattern = *steps_[at].pattern;
  std::size_t done = 0, after = std::string_view::npos;
  while (done < piece.text.size()) {
    const std::optional<Pattern::Match> match = pattern.find(piece.text, done, after);
    if (!match) break;
    pass(at, piece, done, match->begin, sink);
    pass(at, piece, match->begin, match->end, sink);
    done = after = match->end;
  }
  pass(at, piece, done, piece.text.size(), sink);
}

std::vector<PreTokenizer::Segment> PreTokenizer::segments(const Step& step, std::string_view text) {
  std::vector<Segment> found;
  std::size_t done = 0, after = std::string_view::npos;
  while (const auto match = step.pattern->find(text, done, after)) {
    if (match->begin > done) found.push_back({done, match->begin, step.invert});
    found.push_back({match->begin, match->end, !step.invert});
    done = after = match->end;
  }
  if (done < text.size()) found.push_back({done, text.size(), step.invert});
  return found;
}

void PreTokenizer::run_split(std::size_t at, const Piece& piece, WordSink& sink) const {
  const Step& step = steps_[at];
  std::vector<Segment> parts = segments(step, piece.text);
  if (step.behavior == Behavior::kRemoved) {
    std::erase_if(parts, [](const Segment& part) { return part.match; });
  } else {
    // Joins a part to the one before it (kWithNext: the one after it).
    const bool backwards = step.behavior == Behavior::kWithNext;
    if (backwards) std::reverse(parts.begin(), parts.end());
    std::vector<Segment> joined;
    bool before = false;
    for (const Segment& part : parts) {
      const bool join =
          step.behavior == Behavior::kContiguous ? part.match == before : part.match && !before;
      if (join && !joined.empty()) {
        joined.back().begin = std::min(joined.back().begin, part.begin);
        joined.back().end = std::max(joined.back().end, part.end);
      } else {
        joined.push_back(part);
      }
      before = part.match;
    }
    if (backwards) std::reverse(joined.begin(), joined.end());
    parts = std::move(joined);
  }
  for (const Segment& part : parts) pass(at, piece, part.begin, part.end, sink);
}

void PreTokenizer::run_metaspace(std::size_t at, const Piece& piece, WordSink& sink) const {
  const Step& step = steps_[at];
  std::string marked;
  marked.reserve(piece.text.size() + piece.text.size() / 2 + step.marker.size());
  const bool wanted = step.prepend == Step::Prepend::kAlways ||
                      (step.prepend == Step::Prepend::kFirst && piece.first);
  const bool there = piece.text.starts_with(' ') || piece.text.starts_with(step.marker);
  if (wanted && !there && !piece.bare) marked = step.marker;
  for (const char c : piece.text) {
    if (c == ' ') {
      marked += step.marker;
    } else {
      marked += c;
    }
  }
  run(at + 1, {marked, piece.first, piece.bare}, sink);
}

}  // namespace tenfold::dataset
