// Generated multiple-choice questions about a small made-up world, in two hops: what an unknown
// creature eats follows from its kind, where a thing is from what it lies in.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcts_dpo/data/generated_task.hpp"

namespace tenfold::mcts_dpo {

struct CommonsenseOptions {
  std::uint32_t seed = 0;  ///< of the questions
  /// Of the facts: which creature is of which kind, which kind eats what. Training and test must
  /// share it.
  std::uint32_t world = 0;
};

/// Synthetic throughout: names are made up and facts are drawn, so it measures whether a model that
/// was taught the facts puts two of them together, and says nothing of ARC or CommonsenseQA.
///
/// 70 creatures of 10 kinds (6 relations) and 50 things in 10 containers (3 relations); a relation
/// gives each kind or container one of 10 values, no two the same. A question asks for one relation
/// of one creature or thing and offers the value and three others of that relation:
///   what does a bafel eat ? / a bafel is a sahib / a sahib eats moss / The answer is (C)
/// Of the 570 pairs of a member and a relation every fifth is test's, every fifth validation's, the
/// rest sft's and pool's (which differ by hash). Each member and each fact of a kind is in sft and
/// pool through other pairs, so all facts can be learnt there and no answer of a test question can
/// be remembered.
class CommonsenseTask final : public GeneratedTask {
 public:
  explicit CommonsenseTask(const CommonsenseOptions& options);
  ~CommonsenseTask() override;

  std::string_view name() const override { return "commonsense"; }
  std::optional<Question> draw(Split split, std::uint32_t index,
                               std::uint32_t attempt) const override;
  bool belongs(const Question& question, Split split) const override;
  std::vector<std::string> words() const override;
  /// A wrong kind, value or letter; lines behind a wrong kind are about that kind.
  std::optional<std::vector<std::string>> corrupted(const Question& question, std::size_t line,
                                                    base::Stream& stream) const override;

  struct World;
  /// One (member, relation) that questions ask about.
  struct Pair {
    std::size_t family = 0, member = 0, relation = 0;
    bool operator==(const Pair&) const = default;
  };
  /// What a question of this task asks for; none when it is another text.
  std::optional<Pair> pair_of(std::string_view question) const;

 private:
  CommonsenseOptions options_;
  std::unique_ptr<const World> world_;
};

}  // namespace tenfold::mcts_dpo
