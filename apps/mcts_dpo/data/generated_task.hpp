// Data sets that are drawn, not read: item i of a split is the same wherever and however often it
// is drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/philox.hpp"
#include "mcts_dpo/data/question.hpp"

namespace tenfold::mcts_dpo {

/// What a part of a generated data set is for. Values go into the random streams: append only.
enum class Split : std::uint32_t {
  kSft = 0,         ///< supervised fine-tuning
  kPool = 1,        ///< questions to search on
  kValidation = 2,  ///< to tune on
  kTest = 3,
};

/// "sft", "pool", "validation", "test".
std::string_view split_name(Split split);
/// Throws Code::kUsage naming the four.
Split parse_split(std::string_view name);

/// Of the 16 parts that question_hash cuts all possible questions into, 7 are sft's, 7 pool's, one
/// each validation's and test's.
bool in_share(const Question& question, Split split);

class GeneratedTask {
 public:
  virtual ~GeneratedTask() = default;

  /// "chain"; ids of questions begin with it.
  virtual std::string_view name() const = 0;

  /// A candidate for item `index`; a pure function of its arguments and the task's options. None
  /// when what was drawn breaks the task's own rules: then the next attempt stands for it.
  virtual std::optional<Question> draw(Split split, std::uint32_t index,
                                       std::uint32_t attempt) const = 0;

  /// Every question belongs to one split only, so no question of one can be one of another,
  /// whatever is drawn, and nothing has to be compared. Where draw does not see to it by itself,
  /// the question's hash decides: in_share.
  virtual bool belongs(const Question& question, Split split) const {
    return in_share(question, split);
  }

  /// Solution lines of which `line` is the first wrong one (0 is the first; the answer's line
  /// counts), and those that would follow it. question.solution must be right. None when that line
  /// cannot be spoilt.
  virtual std::optional<std::vector<std::string>> corrupted(const Question& question,
                                                            std::size_t line,
                                                            base::Stream& stream) const = 0;

  /// Every word that a question, a choice or a solution may have, between spaces; "\n" among them.
  virtual std::vector<std::string> words() const = 0;
};

/// Items 0 to count - 1 of a split. Item i is the first candidate that belongs to the split and
/// that no item before it is; it does not depend on count. Ids are "chain-test-17". Throws
/// Code::kUsage when no such candidate is found: the task has not so many questions.
std::vector<Question> generate(const GeneratedTask& task, Split split, std::size_t count);

/// The random stream of one part of one candidate.
base::Stream item_stream(std::uint32_t seed, Split split, std::uint32_t index,
                         std::uint32_t attempt, std::uint8_t part);

}  // namespace tenfold::mcts_dpo
