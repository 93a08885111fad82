// The first half of a round: search trees, or sampled solutions, of its questions, by all ranks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mcts_dpo/generation/solutions.hpp"
#include "mcts_dpo/meeting.hpp"
#include "mcts_dpo/modes/round_records.hpp"
#include "train/experiment.hpp"

namespace tenfold::mcts_dpo {

/// A round's questions: number `first` of the run and the following ones. Question q's search r of
/// `searches` has the record q searches + r.
struct Round {
  std::uint64_t number = 0, first = 0;
  std::span<const Question> questions;
  std::size_t searches = 1;
};

/// Which part of the work is this rank's: part number `part` of `parts`, or none.
struct WorkShare {
  int part = 0, parts = 1;
  bool any() const { return part >= 0; }
};
/// All ranks, or with roles those that do not learn.
WorkShare work_share(const train::RunContext& context);

/// What this rank did since the round began, in this process: not what it found.
struct CollectorCounts {
  std::int64_t evictions = 0;   ///< branches whose keys and values made room for others
  std::int64_t duplicates = 0;  ///< samples that were tokens of a sibling again
  std::int64_t similar = 0;     ///< samples that were too much like a sibling
};

inline CollectorCounts& operator+=(CollectorCounts& sum, const CollectorCounts& more) {
  sum.evictions += more.evictions;
  sum.duplicates += more.duplicates;
  sum.similar += more.similar;
  return sum;
}

class Collector {
 public:
  /// Collective.
  explicit Collector(const comm::Communicator& world) : meeting_(world) {}
  virtual ~Collector() = default;
  virtual CollectorCounts counts() const { return {}; }
  /// Collective. The decoder has the parameters to work with; records may hold what an earlier
  /// process has done of this round.
  virtual void begin(const Round& round, const RoundRecords& records) = 0;
  /// Collective: works until at least `more` questions (or all) are done that were not, or until a
  /// signal or time asks for a pause and one is done at least; gathers into records.
  void run(std::int64_t more, RoundRecords& records);

  /// run() in parts, for ranks of which some do other work meanwhile. Where all meet.
  Meeting& meeting() { return meeting_; }
  /// Not collective: this rank's share, until the meeting is due.
  virtual void work() = 0;
  /// Collective.
  virtual void gather(RoundRecords& records) = 0;

 private:
  Meeting meeting_;
};

std::unique_ptr<Collector> make_search_collector(const Config& config, const Prompts& prompts,
                                                 Decoder& decoder, train::RunContext& context);
/// Of a round that learns. Streams have the round's number in their names.
SamplePlan round_samples(const Config& config);
std::unique_ptr<Collector> make_sample_collector(const Config& config, const SamplePlan& plan,
                                                 const Prompts& prompts, Decoder& decoder,
                                                 train::RunContext& context);

/// A record of sampled solutions, and back. Throws Code::kCheckpoint on damage.
Bytes solution_bytes(const std::vector<Solution>& solutions);
std::vector<Solution> solutions_of(std::span<const std::byte> bytes);

}  // namespace tenfold::mcts_dpo
