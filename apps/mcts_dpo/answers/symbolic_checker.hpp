// Whether two answers are the same expression, where the rules in C++ do not know it: asked of a
// Python process with SymPy (mcts_dpo.md section 2.13; data/mcts_dpo/symbolic_worker.py).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "mcts_dpo/answers/line_process.hpp"

namespace tenfold::mcts_dpo {

struct SymbolicOptions {
  std::string python{};            ///< the interpreter; empty: TENFOLD_PYTHON, else the build's
  std::filesystem::path worker{};  ///< its program; empty: the one that is shipped
  double timeout = 5;              ///< seconds for a pair
  double start_timeout = 120;      ///< seconds for a process to import SymPy
};

/// One process, started when the first pair is asked. A pair that it does not answer in time, or of
/// which it dies, is not the same; the process is killed, and another one started for the next
/// pair. Verdicts are kept, so a pair is asked once. They depend on the two texts and the timeout
/// alone. Not thread-safe.
class SymbolicChecker {
 public:
  struct Counts {
    std::int64_t asked = 0;       ///< pairs; those whose verdict was kept are not counted again
    std::int64_t same = 0;        ///< of them
    std::int64_t unanswered = 0;  ///< of them: too slow, died, or failed; not the same
    std::int64_t starts = 0;      ///< processes
  };

  explicit SymbolicChecker(SymbolicOptions options);

  /// Whether Python starts and has SymPy, without importing it. Throws Code::kUsage.
  void require() const;
  /// Normalised answers. False at once where one is longer than 512 bytes, has other than ASCII
  /// characters, or words that are no functions. Throws Code::kIo after three processes in a row
  /// that could not be started; warns of pairs without an answer.
  bool same(std::string_view a, std::string_view b);

  const Counts& counts() const { return counts_; }

 private:
  enum class Answer { kSame, kDifferent, kNone };
  Answer ask(const std::string& request);
  bool start();
  void warn(std::string_view a, std::string_view b);

  SymbolicOptions options_;
  Counts counts_;
  std::unique_ptr<LineProcess> process_;
  int failed_starts_ = 0;
  std::string why_;  ///< the last pair has no answer
  std::unordered_map<std::string, bool> verdicts_;
};

}  // namespace tenfold::mcts_dpo
