// Blocks of transitions on their way from an acting rank to a learning one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ddpg/memory.hpp"

namespace tenfold::ddpg {

/// The environments of one acting rank whose transitions one learning rank owns. Virtual shard s
/// is played by actor s mod A and stored by learner s mod L: whoever has one knows the other.
struct Link {
  int actor = 0, learner = 0;       ///< among the actors, among the learners
  std::vector<std::size_t> shards;  ///< ascending; empty: they have nothing to tell each other
};
Link make_link(std::size_t shards, int actors, int actor, int learners, int learner);

/// What lies in a block: whole rounds, of each the link's shards in order, of each its environments
/// in order. In words of 4 bytes, as float32 is; frames are padded to words.
struct BlockShape {
  std::size_t observation = 0;  ///< float32 numbers of a state; no matter where there are frames
  std::size_t frame = 0;        ///< bytes of a frame; 0: states
  std::size_t action = 0;       ///< float32 numbers
  std::size_t per_shard = 1;    ///< environments of a shard
  std::size_t rounds = 1;       ///< at most

  /// Words of what is seen, and of a transition.
  std::size_t seen() const { return frame == 0 ? observation : (frame + 3) / 4; }
  std::size_t record() const { return 2 * seen() + action + 2; }
  std::size_t most_words(const Link& link) const;
};

struct BlockHeader {
  std::uint64_t first_round = 0;  ///< over the whole run
  std::uint64_t rounds = 0;
  std::uint64_t version = 0;  ///< updates behind the parameters of its oldest action
};

/// Fills one block after the other.
class BlockWriter {
 public:
  BlockWriter(const BlockShape& shape, const Link& link);
  void begin(std::uint64_t round, std::uint64_t version);
  bool empty() const { return header_.rounds == 0; }
  bool full() const { return header_.rounds == shape_.rounds; }
  void add(std::span<const float> observation, std::span<const float> action, float reward,
           std::span<const float> next_observation, rl::Ending ending);
  void add_frame(std::span<const std::uint8_t> frame, std::span<const float> action, float reward,
                 std::span<const std::uint8_t> next_frame, rl::Ending ending);
  void end_round() { ++header_.rounds; }
  /// The block with its header; the writer is empty again and fills spare next.
  std::vector<float> take(std::vector<float> spare);

 private:
  void append(std::span<const float> observation);
  void append(std::span<const std::uint8_t> frame);
  template <class Number>
  void add_record(std::span<const Number> seen, std::span<const float> action, float reward,
                  std::span<const Number> next_seen, rl::Ending ending);

  BlockShape shape_;
  std::size_t most_words_;
  BlockHeader header_;
  std::vector<float> words_;
};

/// Puts a block's transitions into sink, whose local shard k is the learner's k-th. Returns its
/// header. Throws Code::kBug when the block does not fit shape and link.
BlockHeader unpack_block(std::span<const float> words, const BlockShape& shape, const Link& link,
                         int learners, TransitionSink& sink);

}  // namespace tenfold::ddpg
