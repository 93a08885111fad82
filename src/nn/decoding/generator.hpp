// Continuous batching: all samples of all requests go through the model together, one token each
// per forward pass; what is finished leaves, what waits enters.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "nn/decoding/decoding_engine.hpp"
#include "nn/decoding/sampling.hpp"

namespace tenfold::nn {

/// One of the siblings that a request draws.
struct SampleSpec {
  SampleKey key;
  std::uint32_t first_token = 0;  ///< the first drawn token's number in the key's stream
  SamplingOptions options;
  std::int64_t most_tokens = 0;  ///< at least 1
};

enum class StopReason {
  kEnd,         ///< drew a token of ends
  kRule,        ///< stops() said so
  kMostTokens,  ///< of its specification
  kLongest,     ///< the sequence may not become longer
};

struct GenerationRequest {
  std::int64_t id = 0;  ///< the caller's
  /// What was read before; stays the caller's, and must live, unchanged, until the request enters:
  /// the result being there at the latest.
  Sequence parent = Sequence::kNone;
  std::int64_t parent_tokens = -1;    ///< the first so many of parent's; -1: all
  std::vector<std::int32_t> pending;  ///< tokens to read after that, at least 1
  /// So many of parent's tokens and pending were read once, for an earlier request: those that are
  /// pending again count as GenerationStatistics::reread.
  std::int64_t known = 0;
  /// Called when the request is about to enter, and again whenever room was made for it: may set
  /// parent, parent_tokens and pending to what is there now, as long as they are the same tokens
  /// together. So a parent need not be kept for a request that waits. May be empty.
  std::function<void(GenerationRequest&)> locate;
  std::vector<SampleSpec> samples;  ///< drawn after them, each on its own; none: scoring alone
  std::vector<std::int32_t> ends;   ///< a sample ends with one of these
  std::vector<std::int32_t> forbidden;
  /// Told every token that sample number drew, in order; true ends that sample. May be empty.
  std::function<bool(std::size_t number, std::int32_t token)> stops;
  bool score_pending = false;         ///< ask for pending_log_probabilities
  bool keep_logits = false;           ///< ask for logits
  bool keep_trunk = false;            ///< ask for trunk
  bool keep_hidden = false;           ///< ask for samples' hidden states
  std::vector<std::int32_t> choices;  ///< ask for choice_log_probabilities
};

struct GeneratedSample {
  std::vector<std::int32_t> tokens;      ///< an end is the last of them
  std::vector<float> log_probabilities;  ///< untempered, of every token
  /// [tokens - 1, width] of every token but the last, which was not read.
  std::vector<float> hidden;
  StopReason reason = StopReason::kEnd;
  /// Has parent, pending and all tokens but the last. The caller's, who releases it.
  Sequence sequence = Sequence::kNone;
};

struct GenerationResult {
  std::int64_t id = 0;
  std::vector<GeneratedSample> samples;
  /// log p(pending[i + 1] | all before it), i = 0, 1, ...: one fewer than pending.
  std::vector<float> pending_log_probabilities;
  std::vector<float> logits;                    ///< after the last pending token, [vocabulary]
  std::vector<float> choice_log_probabilities;  ///< of each of choices, there
  Sequence trunk = Sequence::kNone;  ///< has parent and pending; the caller's, who releases it
};

struct GeneratorOptions {
  /// Asked when a request does not fit for want of so many blocks: release at least some sequences
  /// and say true, or say false: then the request waits for samples that run.
  std::function<bool(std::int64_t missing_blocks)> make_room;
};

struct GenerationStatistics {
  std::int64_t forwards = 0;
  std::int64_t rows = 0;       ///< in all forward passes
  std::int64_t prefilled = 0;  ///< pending tokens read
  std::int64_t generated = 0;  ///< tokens drawn
  std::int64_t requests = 0;   ///< finished
  std::int64_t waits = 0;      ///< advances in which a request waited for blocks
  std::int64_t evicted = 0;    ///< sequences that make_room released
  std::int64_t reread = 0;     ///< of prefilled: tokens that were known, but released meanwhile
  double occupancy(std::int64_t most_rows) const;  ///< rows of a forward pass, of most_rows
};

/// Not for several threads. Requests enter in the order of their submission, when their samples fit
/// into a forward pass and all blocks that they can come to need are free: what runs never stalls.
/// What a sample draws depends on its request alone, where the engine's rows do (the fused one's).
class Generator {
 public:
  Generator(DecodingEngine& engine, GeneratorOptions options = {});
  ~Generator();

  /// Throws Code::kUsage for a request that can never be served.
  void submit(GenerationRequest request);
  /// One forward pass; what has finished by it, in the order of finishing. Throws Code::kUsage,
  /// naming bytes, where nothing runs and the first request that waits does not fit.
  std::vector<GenerationResult> advance();
  /// Whether all requests are answered.
  bool idle() const { return waiting_.empty() && running_.empty(); }
  std::size_t unanswered() const { return waiting_.size() + running_.size(); }
  /// Forgets all requests and releases what they hold: before parameters change.
  void abandon();
  const GenerationStatistics& statistics() const { return statistics_; }

 private:
  struct Sample;
  struct Job;
  void check(const GenerationRequest& request) const;
  std::int64_t read_before(const GenerationRequest& request) const;
  std::int64_t blocks_needed(const GenerationRequest& request) const;
  bool fits(GenerationRequest& request);
  void enter(GenerationRequest request);
  void admit();
  void plan_samples(Job& job);
  void plan_pending(Job& job);
  void extend(Sequence sequence, std::int64_t count, std::int64_t& promised);
  void add_row(std::int32_t token, Sequence sequence, std::int64_t position, bool logits);
  void read_pending(Job& job);
  void start_samples(Job& job, std::span<const float> logits);
  void draw(Job& job, std::size_t number, std::span<const float> logits);
  std::span<const float> logits(std::int64_t row) const;
  void keep_hidden(const Job& job, Sample& sample) const;
  void release(Job& job);

  DecodingEngine* engine_;
  GeneratorOptions options_;
  TokenSampler sampler_;
  std::deque<GenerationRequest> waiting_;
  std::vector<std::unique_ptr<Job>> running_;
  std::vector<TokenRow> rows_;
  std::vector<float> logits_;
  std::vector<float> hidden_;  ///< rows as logits_, while a running job asks for them
  std::int64_t logit_rows_ = 0;
  std::int64_t promised_ = 0;      ///< blocks that jobs may still take
  std::int64_t most_samples_ = 0;  ///< rows that running jobs can come to need at once
  GenerationStatistics statistics_;
};

}  // namespace tenfold::nn
