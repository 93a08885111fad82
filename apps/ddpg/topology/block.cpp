#include "ddpg/topology/block.hpp"

#include <cstring>

#include "base/error.hpp"

namespace tenfold::ddpg {

namespace {
constexpr std::size_t kHeaderWords = sizeof(BlockHeader) / sizeof(float);
static_assert(sizeof(BlockHeader) % sizeof(float) == 0);
}  // namespace

Link make_link(std::size_t shards, int actors, int actor, int learners, int learner) {
  Link link{actor, learner, {}};
  for (std::size_t shard = 0; shard < shards; ++shard) {
    if (shard % static_cast<std::size_t>(actors) == static_cast<std::size_t>(actor) &&
        shard % static_cast<std::size_t>(learners) == static_cast<std::size_t>(learner)) {
      link.shards.push_back(shard);
    }
  }
  return link;
}

std::size_t BlockShape::most_words(const Link& link) const {
  return kHeaderWords + rounds * link.shards.size() * per_shard * record();
}

BlockWriter::BlockWriter(const BlockShape& shape, const Link& link)
    : shape_(shape), most_words_(shape.most_words(link)) {}

void BlockWriter::begin(std::uint64_t round, std::uint64_t version) {
  if (!empty()) return;
  header_ = {round, 0, version};
  words_.reserve(most_words_);
  words_.assign(kHeaderWords, 0);
}

void BlockWriter::append(std::span<const float> observation) {
  words_.insert(words_.end(), observation.begin(), observation.end());
}

void BlockWriter::append(std::span<const std::uint8_t> frame) {
  const std::size_t at = words_.size();
  words_.resize(at + shape_.seen(), 0);
  std::memcpy(words_.data() + at, frame.data(), frame.size());
}

template <class Number>
void BlockWriter::add_record(std::span<const Number> seen, std::span<const float> action,
                             float reward, std::span<const Number> next_seen, rl::Ending ending) {
  append(seen);
  append(action);
  words_.push_back(reward);
  append(next_seen);
  words_.push_back(static_cast<float>(ending));
}

void BlockWriter::add(std::span<const float> observation, std::span<const float> action,
                      float reward, std::span<const float> next_observation, rl::Ending ending) {
  add_record(observation, action, reward, next_observation, ending);
}

void BlockWriter::add_frame(std::span<const std::uint8_t> frame, std::span<const float> action,
                            float reward, std::span<const std::uint8_t> next_frame,
                            rl::Ending ending) {
  add_record(frame, action, reward, next_frame, ending);
}

std::vector<float> BlockWriter::take(std::vector<float> spare) {
  std::memcpy(words_.data(), &header_, sizeof header_);
  header_ = {};
  words_.swap(spare);
  return spare;
}

BlockHeader unpack_block(std::span<const float> words, const BlockShape& shape, const Link& link,
                         int learners, TransitionSink& sink) {
  base::require(words.size() >= kHeaderWords, "a block without a header");
  BlockHeader header;
  std::memcpy(static_cast<void*>(&header), words.data(), sizeof header);
  const std::size_t rows = link.shards.size() * shape.per_shard;
  base::require(words.size() == kHeaderWords + header.rounds * rows * shape.record(),
                "a block of another shape");
  const float* at = words.data() + kHeaderWords;
  for (std::uint64_t round = 0; round < header.rounds; ++round) {
    for (std::size_t row = 0; row < rows; ++row, at += shape.record()) {
      const float* const action = at + shape.seen();
      const float* const next = action + shape.action + 1;
      const auto ending = static_cast<rl::Ending>(next[shape.seen()]);
      const std::size_t shard =
          link.shards[row / shape.per_shard] / static_cast<std::size_t>(learners);
      const float reward = action[shape.action];
      if (shape.frame == 0) {
        sink.add(shard, {at, shape.seen()}, {action, shape.action}, reward, {next, shape.seen()},
                 ending);
        continue;
      }
      const auto frame = [&shape](const float* first) {
        return std::span(reinterpret_cast<const std::uint8_t*>(first), shape.frame);
      };
      sink.add_frame(shard, row % shape.per_shard, frame(at), {action, shape.action}, reward,
                     frame(next), ending);
    }
  }
  return header;
}

}  // namespace tenfold::ddpg
