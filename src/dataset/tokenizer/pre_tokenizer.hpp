// How a tokenizer.json cuts text into the words that BPE merges within.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/tokenizer/json_node.hpp"
#include "dataset/tokenizer/pattern.hpp"

namespace tenfold::dataset {

/// A part of the text on its way through the steps.
struct Piece {
  std::string_view text;
  bool first = false;  ///< the whole text begins with it
  bool bare = false;   ///< no space is put before it
};

class WordSink {
 public:
  virtual ~WordSink() = default;
  virtual void word(std::string_view text) = 0;
};

/// ByteLevel, Split, Digits, Punctuation, WhitespaceSplit, Metaspace, and Sequences of them.
class PreTokenizer {
 public:
  PreTokenizer() = default;
  /// From the member "pre_tokenizer", which may be null. Throws Code::kData naming what is not
  /// supported.
  explicit PreTokenizer(const JsonNode& root);

  /// Gives the words of a piece to the sink, in order, none empty. The piece is valid UTF-8.
  void split(const Piece& piece, WordSink& sink) const { run(0, piece, sink); }

  /// Whether the last step is ByteLevel: the words are then bytes, not yet spelled in its alphabet.
  bool bytes() const { return bytes_; }

 private:
  enum class Behavior { kRemoved, kIsolated, kContiguous, kWithPrevious, kWithNext };
  struct Step {
    enum class Kind { kSplit, kSpace, kAlphabet, kMetaspace } kind = Kind::kSplit;
    std::optional<Pattern> pattern;
    Behavior behavior = Behavior::kIsolated;
    bool invert = false;
    std::string marker;  // kMetaspace
    enum class Prepend { kAlways, kFirst, kNever } prepend = Prepend::kAlways;
  };
  struct Segment {
    std::size_t begin, end;
    bool match;
  };
  void add(const JsonNode& node);
  void add_byte_level(const JsonNode& node);
  void add_metaspace(const JsonNode& node);
  void add_split(Pattern pattern, Behavior behavior, bool invert);
  static Behavior behavior(const JsonNode& node);

  void run(std::size_t step, const Piece& piece, WordSink& sink) const;
  void run_isolated(std::size_t step, const Piece& piece, WordSink& sink) const;
  void run_split(std::size_t step, const Piece& piece, WordSink& sink) const;
  void run_metaspace(std::size_t step, const Piece& piece, WordSink& sink) const;
  void pass(std::size_t step, const Piece& whole, std::size_t begin, std::size_t end,
            WordSink& sink) const;
  static std::vector<Segment> segments(const Step& step, std::string_view text);

  std::vector<Step> steps_;
  bool bytes_ = false;
};

}  // namespace tenfold::dataset
