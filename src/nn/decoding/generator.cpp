#include "nn/decoding/generator.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.hpp"

namespace tenfold::nn {

struct Generator::Sample {
  GeneratedSample result;
  std::int64_t logits_row = -1;  ///< of this forward pass
  bool runs = false;
};

struct Generator::Job {
  GenerationRequest request;
  GenerationResult result;
  std::vector<Sample> samples;
  Sequence trunk = Sequence::kNone;
  std::size_t read = 0;     ///< of pending
  std::size_t reading = 0;  ///< of pending, in this forward pass
  std::int64_t again = 0;   ///< of pending, from its beginning: read once before
  std::int64_t first_logits_row = -1;
  std::int64_t promised = 0;  ///< blocks
  std::size_t running = 0;    ///< samples
  bool finished = false;

  std::int64_t widest() const { return std::max<std::int64_t>(1, std::ssize(request.samples)); }
};

double GenerationStatistics::occupancy(std::int64_t most_rows) const {
  if (forwards == 0) return 0;
  return static_cast<double>(rows) / static_cast<double>(forwards * most_rows);
}

Generator::Generator(DecodingEngine& engine, GeneratorOptions options)
    : engine_(&engine), options_(std::move(options)), sampler_(engine.config().vocabulary) {
  rows_.reserve(static_cast<std::size_t>(engine.most_rows()));
}

Generator::~Generator() {
  abandon();
}

void Generator::check(const GenerationRequest& request) const {
  const auto refuse = [&](const std::string& what, const char* hint) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("generation: request {} {}", request.id, what), hint);
  };
  const std::int64_t vocabulary = engine_->config().vocabulary;
  if (request.pending.empty()) refuse("has no pending token", "At least one must be read");
  for (const auto* tokens :
       {&request.pending, &request.ends, &request.forbidden, &request.choices}) {
    for (const std::int32_t token : *tokens) {
      if (token < 0 || token >= vocabulary) {
        refuse(fmt::format("names token {} of a vocabulary of {}", token, vocabulary),
               "Does the tokenizer belong to this model?");
      }
    }
  }
  if (std::ssize(request.samples) > engine_->most_rows()) {
    refuse(fmt::format("wants {} samples, a forward pass has {} rows", request.samples.size(),
                       engine_->most_rows()),
           "Ask for fewer at a time, or allow more rows");
  }
  for (const SampleSpec& sample : request.samples) {
    sample.options.validate();
    if (sample.most_tokens < 1) refuse("has a sample of no token", "Give most_tokens");
  }
  const KvBlocks& blocks = engine_->blocks();
  const std::int64_t length = read_before(request) + std::ssize(request.pending);
  if (length > blocks.options().longest) {
    refuse(
        fmt::format("comes to {} tokens, a sequence may have {}", length, blocks.options().longest),
        "Shorten it, or allow longer sequences");
  }
}

std::int64_t Generator::read_before(const GenerationRequest& request) const {
  if (request.parent == Sequence::kNone) return 0;
  const std::int64_t length = engine_->blocks().length(request.parent);
  base::require(request.parent_tokens <= length, "Generator: a parent is shorter than is said");
  return request.parent_tokens < 0 ? length : request.parent_tokens;
}

// Of the trunk, and of every sample's own tokens but the last.
std::int64_t Generator::blocks_needed(const GenerationRequest& request) const {
  const KvBlocks& blocks = engine_->blocks();
  const std::int64_t size = blocks.options().block_tokens;
  const std::int64_t before = read_before(request);
  const std::int64_t length = before + std::ssize(request.pending);
  const auto blocks_of = [&](std::int64_t tokens) { return (tokens + size - 1) / size; };
  // A last block that is not full is shared, and copied by whoever writes into it.
  std::int64_t needed = blocks_of(length) - before / size;
  for (const SampleSpec& sample : request.samples) {
    const std::int64_t end = std::min(length + sample.most_tokens - 1, blocks.options().longest);
    if (end > length) needed += blocks_of(end) - length / size;
  }
  return needed;
}

void Generator::submit(GenerationRequest request) {
  check(request);
  waiting_.push_back(std::move(request));
}

// Whether so many blocks are free that no running job may take. Throws where none will become free.
bool Generator::fits(GenerationRequest& request) {
  const KvBlocks& blocks = engine_->blocks();
  const auto ask_for_room = [&](std::int64_t missing) {
    if (!options_.make_room) return false;
    const std::int64_t before = blocks.statistics().sequences;
    const bool made = options_.make_room(missing);
    statistics_.evicted += before - blocks.statistics().sequences;
    return made;
  };
  std::int64_t needed = 0, free = 0;
  do {
    // What was released may have been the parent, and may be shared with others still.
    if (request.locate) request.locate(request);
    needed = blocks_needed(request);
    free = blocks.free_blocks() - promised_;
    if (needed <= free) return true;
  } while (ask_for_room(needed - free));
  if (!running_.empty()) {
    ++statistics_.waits;
    return false;
  }
  throw base::Error(
      base::Code::kUsage,
      fmt::format("generation: request {} needs {} bytes of keys and values, {} of {} are free",
                  request.id, needed * engine_->bytes_of_block(), free * engine_->bytes_of_block(),
                  blocks.options().blocks * engine_->bytes_of_block()),
      "Release sequences, or give the cache more memory");
}

void Generator::enter(GenerationRequest request) {
  KvBlocks& blocks = engine_->blocks();
  auto job = std::make_unique<Job>();
  job->promised = blocks_needed(request);
  promised_ += job->promised;
  job->again = request.known - read_before(request);
  job->request = std::move(request);
  job->result.id = job->request.id;
  job->samples.resize(job->request.samples.size());
  for (std::size_t i = 0; i < job->samples.size(); ++i) {
    const auto most = static_cast<std::size_t>(
        std::min(job->request.samples[i].most_tokens, blocks.options().longest));
    job->samples[i].result.tokens.reserve(most);
    job->samples[i].result.log_probabilities.reserve(most);
  }
  const Sequence parent = job->request.parent;
  job->trunk =
      parent == Sequence::kNone ? blocks.create() : blocks.fork(parent, job->request.parent_tokens);
  most_samples_ += job->widest();
  running_.push_back(std::move(job));
}

void Generator::admit() {
  while (!waiting_.empty()) {
    const std::int64_t wide = std::max<std::int64_t>(1, std::ssize(waiting_.front().samples));
    if (most_samples_ + wide > engine_->most_rows()) return;
    if (!fits(waiting_.front())) return;
    enter(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void Generator::extend(Sequence sequence, std::int64_t count, std::int64_t& promised) {
  KvBlocks& blocks = engine_->blocks();
  const std::int64_t before = blocks.free_blocks();
  const Extension answer = blocks.extend(sequence, count);
  base::require(static_cast<bool>(answer),
                "Generator: blocks that were promised are gone: who extended another sequence?");
  const std::int64_t taken = before - blocks.free_blocks();
  promised -= taken;
  promised_ -= taken;
  base::require(promised >= 0, "Generator: more blocks than were promised");
}

void Generator::add_row(std::int32_t token, Sequence sequence, std::int64_t position, bool logits) {
  rows_.push_back(
      {token, sequence, position, logits ? static_cast<std::int32_t>(logit_rows_++) : -1});
}

// A row for every sample that runs: its last token.
void Generator::plan_samples(Job& job) {
  const KvBlocks& blocks = engine_->blocks();
  for (Sample& sample : job.samples) {
    if (!sample.runs) continue;
    const Sequence sequence = sample.result.sequence;
    const std::int64_t position = blocks.length(sequence);
    extend(sequence, 1, job.promised);
    sample.logits_row = logit_rows_;
    add_row(sample.result.tokens.back(), sequence, position, true);
  }
}

// As many pending tokens as there are rows left.
void Generator::plan_pending(Job& job) {
  job.reading = 0;
  if (job.read == job.request.pending.size()) return;
  const auto left = static_cast<std::size_t>(engine_->most_rows()) - rows_.size();
  job.reading = std::min(left, job.request.pending.size() - job.read);
  const std::int64_t position = engine_->blocks().length(job.trunk);
  extend(job.trunk, static_cast<std::int64_t>(job.reading), job.promised);
  job.first_logits_row = logit_rows_;
  for (std::size_t i = 0; i < job.reading; ++i) {
    const std::size_t at = job.read + i;
    const bool last = at + 1 == job.request.pending.size();
    add_row(job.request.pending[at], job.trunk, position + static_cast<std::int64_t>(i),
            last || job.request.score_pending);
  }
}

std::span<const float> Generator::logits(std::int64_t row) const {
  const auto vocabulary = static_cast<std::size_t>(engine_->config().vocabulary);
  return {logits_.data() + static_cast<std::size_t>(row) * vocabulary, vocabulary};
}

// Of the token that the row which is drawn from has read.
void Generator::keep_hidden(const Job& job, Sample& sample) const {
  if (!job.request.keep_hidden) return;
  const auto width = static_cast<std::size_t>(engine_->config().width);
  const float* const state = hidden_.data() + static_cast<std::size_t>(sample.logits_row) * width;
  sample.result.hidden.insert(sample.result.hidden.end(), state, state + width);
}

void Generator::draw(Job& job, std::size_t number, std::span<const float> logits) {
  const SampleSpec& spec = job.request.samples[number];
  Sample& sample = job.samples[number];
  GeneratedSample& result = sample.result;
  const auto index = spec.first_token + static_cast<std::uint32_t>(result.tokens.size());
  const SampledToken drawn =
      sampler_.sample(logits, spec.options, token_uniform(spec.key, index), job.request.forbidden);
  result.tokens.push_back(drawn.token);
  result.log_probabilities.push_back(drawn.log_probability);
  ++statistics_.generated;
  const auto& ends = job.request.ends;
  const KvBlocks& blocks = engine_->blocks();
  // The rule is told every token, also the last.
  const bool rule = job.request.stops && job.request.stops(number, drawn.token);
  sample.runs = false;
  if (std::find(ends.begin(), ends.end(), drawn.token) != ends.end()) {
    result.reason = StopReason::kEnd;
  } else if (rule) {
    result.reason = StopReason::kRule;
  } else if (std::ssize(result.tokens) >= spec.most_tokens) {
    result.reason = StopReason::kMostTokens;
  } else if (blocks.length(result.sequence) >= blocks.options().longest) {
    result.reason = StopReason::kLongest;
  } else {
    sample.runs = true;
  }
}

void Generator::start_samples(Job& job, std::span<const float> logits) {
  KvBlocks& blocks = engine_->blocks();
  if (job.request.keep_logits) job.result.logits.assign(logits.begin(), logits.end());
  for (const std::int32_t token : job.request.choices) {
    job.result.choice_log_probabilities.push_back(sampler_.log_probability(logits, token));
  }
  for (std::size_t i = 0; i < job.samples.size(); ++i) {
    job.samples[i].result.sequence = blocks.fork(job.trunk);
    draw(job, i, logits);
  }
  if (job.request.keep_trunk) {
    job.result.trunk = job.trunk;
  } else {
    blocks.release(job.trunk);
  }
  job.trunk = Sequence::kNone;
}

void Generator::read_pending(Job& job) {
  if (job.reading == 0) return;
  std::int64_t row = job.first_logits_row;
  const auto& pending = job.request.pending;
  for (std::size_t i = 0; i < job.reading; ++i) {
    const std::size_t next = job.read + i + 1;
    if (next < pending.size() && job.request.score_pending) {
      job.result.pending_log_probabilities.push_back(
          sampler_.log_probability(logits(row++), pending[next]));
    }
  }
  statistics_.reread += std::clamp<std::int64_t>(job.again - static_cast<std::int64_t>(job.read), 0,
                                                 static_cast<std::int64_t>(job.reading));
  job.read += job.reading;
  statistics_.prefilled += static_cast<std::int64_t>(job.reading);
  if (job.read == pending.size()) start_samples(job, logits(row));
}

std::vector<GenerationResult> Generator::advance() {
  admit();
  rows_.clear();
  logit_rows_ = 0;
  for (const auto& job : running_) plan_samples(*job);
  for (const auto& job : running_) plan_pending(*job);
  if (rows_.empty()) return {};
  const auto vocabulary = static_cast<std::size_t>(engine_->config().vocabulary);
  const std::size_t wanted = static_cast<std::size_t>(logit_rows_) * vocabulary;
  if (logits_.size() < wanted) logits_.resize(wanted);
  const bool states = std::any_of(running_.begin(), running_.end(),
                                  [](const auto& job) { return job->request.keep_hidden; });
  const std::size_t width = static_cast<std::size_t>(engine_->config().width);
  hidden_.resize(states ? static_cast<std::size_t>(logit_rows_) * width : 0);
  engine_->forward(rows_, logits_, hidden_);
  ++statistics_.forwards;
  statistics_.rows += std::ssize(rows_);

  std::vector<GenerationResult> finished;
  for (const auto& job : running_) {
    for (std::size_t i = 0; i < job->samples.size(); ++i) {
      if (!job->samples[i].runs) continue;
      keep_hidden(*job, job->samples[i]);
      draw(*job, i, logits(job->samples[i].logits_row));
    }
    read_pending(*job);
    const bool runs = job->read < job->request.pending.size() ||
                      std::any_of(job->samples.begin(), job->samples.end(),
                                  [](const Sample& sample) { return sample.runs; });
    if (runs) continue;
    job->finished = true;
    promised_ -= job->promised;
    most_samples_ -= job->widest();
    for (Sample& sample : job->samples) {
      job->result.samples.push_back(std::move(sample.result));
    }
    finished.push_back(std::move(job->result));
    ++statistics_.requests;
  }
  std::erase_if(running_, [](const auto& job) { return job->finished; });
  return finished;
}

void Generator::release(Job& job) {
  KvBlocks& blocks = engine_->blocks();
  if (blocks.alive(job.trunk)) blocks.release(job.trunk);
  for (const Sample& sample : job.samples) {
    if (blocks.alive(sample.result.sequence)) blocks.release(sample.result.sequence);
  }
}

void Generator::abandon() {
  for (const auto& job : running_) release(*job);
  running_.clear();
  waiting_.clear();
  promised_ = most_samples_ = 0;
}

}  // namespace tenfold::nn
