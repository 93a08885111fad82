// The policy's own opinion of partial solutions (section 3.1): how likely it calls them right.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "mcts_dpo/generation/decoder.hpp"
#include "mcts_dpo/generation/prompts.hpp"

namespace tenfold::mcts_dpo {

/// Batched with everything else that the decoder reads. Prompts of one question share what they
/// have in common.
class SelfEvaluator {
 public:
  SelfEvaluator(const Config& config, const Prompts& prompts, Decoder& decoder)
      : config_(config), prompts_(prompts), decoder_(decoder) {}

  bool on() const { return config_.self_evaluation != "off"; }
  /// Asks for C of a partial solution of tree's question; the answer comes by take, under ticket.
  /// False where the prompt is too long for the model: then there is none.
  bool submit(std::int64_t ticket, std::uint64_t tree, const Question& question,
              std::string_view partial);
  /// Whether a result of the generator is this one's.
  bool owns(const nn::GenerationResult& result) const;
  struct Answer {
    std::int64_t ticket = 0;
    double confidence = 0;
  };
  /// The answer that result completes, if it does.
  std::optional<Answer> take(nn::GenerationResult& result);
  void forget(std::uint64_t tree);
  /// Releases what prompts share until so many blocks more are free, or nothing is left. Returns
  /// whether anything was.
  bool make_room(std::int64_t blocks);
  std::uint64_t too_long() const { return too_long_; }

 private:
  struct Trunk {
    nn::Sequence sequence = nn::Sequence::kNone;  ///< none: was released to make room
    Tokens tokens;
  };
  struct Asked {
    std::int64_t ticket = 0;
    std::uint64_t tree = 0;
    Tokens prompt;
    bool letter_found = false;  ///< official: the greedy answer was read
  };
  bool official() const { return config_.self_evaluation == "official"; }
  void request(Asked asked);
  void locate(std::uint64_t tree, const Tokens& prompt, nn::GenerationRequest& request) const;
  void release(Trunk& trunk) const;
  double confidence(const nn::GenerationResult& result) const;
  std::optional<Answer> read_letter(Asked asked, const nn::GenerationResult& result);

  const Config& config_;
  const Prompts& prompts_;
  Decoder& decoder_;
  std::map<std::uint64_t, Trunk> trunks_;
  std::map<std::int64_t, Asked> asked_;  ///< by the request's id
  std::int64_t next_ = 0;
  std::uint64_t too_long_ = 0;
};

}  // namespace tenfold::mcts_dpo
