#include "mcts_dpo/search/step_expander.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "mcts_dpo/search/search_rules.hpp"
#include "mcts_dpo/search/step_similarity.hpp"

namespace tenfold::mcts_dpo {

using search::Expansion;
using search::NodeId;
using search::Tree;

namespace {

// Evaluations are asked for under job and candidate.
constexpr std::int64_t kMostCandidates = 1 << 16;
// Requests of one job: its samples, the given solution's step, and of each candidate the end that
// the rules put behind it.
constexpr std::int64_t kSamples = 0, kInjected = 1, kEnds = 2, kKinds = kEnds + kMostCandidates;

// Of the step's tokens that are the sample's; the official rules may have written another end.
std::vector<float> states_of(const Step& step, nn::GeneratedSample& sample) {
  if (sample.hidden.empty()) return {};
  const std::size_t width = sample.hidden.size() / (sample.tokens.size() - 1);
  const auto [own, drawn] = std::mismatch(step.tokens.begin(), step.tokens.end(),
                                          sample.tokens.begin(), sample.tokens.end());
  const auto sampled = static_cast<std::size_t>(own - step.tokens.begin());
  sample.hidden.resize(std::min(sample.hidden.size(), sampled * width));
  return std::move(sample.hidden);
}

}  // namespace

StepExpander::StepExpander(const Config& config, const Prompts& prompts, Decoder& decoder,
                           std::uint32_t seed, std::uint64_t round, QuestionOf question_of)
    : config_(config),
      prompts_(prompts),
      decoder_(decoder),
      seed_(seed),
      round_(round),
      question_of_(std::move(question_of)),
      rules_(parse_step_rules(config.step_rule)),
      cache_(decoder.blocks()),
      evaluator_(config, prompts, decoder) {
  decoder_.on_full([this](std::int64_t blocks) {
    return cache_.make_room(blocks) || evaluator_.make_room(blocks);
  });
}

StepExpander::~StepExpander() {
  decoder_.on_full({});
}

Tree StepExpander::plant(std::uint64_t id) {
  const Tokens prompt = prompts_.question(question_of_(id));
  search::NodeFacts root;
  root.self_evaluation = 0;
  return Tree(prompt, root);
}

std::int64_t StepExpander::tokens_left(const Job& job) const {
  const std::int64_t prompt = notes_.at(job.id).prompt_tokens;
  const auto path = static_cast<std::int64_t>(job.path.size());
  return std::min(config_.solution_tokens - (path - prompt), decoder_.longest() - path);
}

std::int64_t StepExpander::cap_of(const Job& job, const Question& question) const {
  const std::int64_t left = tokens_left(job);
  if (job.whole) return left;
  std::int64_t cap = config_.step_tokens;
  if (rules_.kind == StepRules::Kind::kOfficial) {
    cap = static_cast<std::int64_t>(official_step_cap(
        static_cast<std::size_t>(config_.step_tokens), notes_.at(job.id).gold.size(),
        static_cast<std::size_t>(config_.depth_limit), !question.answer_key.empty()));
  }
  return std::min(cap, left);
}

// Encoded once a tree. Where the answers are hidden, no search may see even the solution's length.
const StepExpander::TreeNote& StepExpander::note_of(std::uint64_t id, const Tree& tree,
                                                    const Question& question) {
  const auto [at, fresh] = notes_.try_emplace(id);
  if (fresh) {
    at->second.prompt_tokens = static_cast<std::int64_t>(tree.items(0).size());
    const bool asked =
        config_.inject_solution || config_.novelty || rules_.kind == StepRules::Kind::kOfficial;
    if (asked && !outcomes_hidden(config_) && !question.solution.empty()) {
      at->second.gold = prompts_.solution(question);
    }
  }
  return at->second;
}

nn::SamplingOptions StepExpander::sampling(const Job& job, std::uint64_t child) const {
  if (job.node == 0) return sampling_at(config_, config_.root_temperature);
  const nn::SampleKey key = sample_key(seed_, SampleUse::kTemperature, round_, job.id,
                                       job.tree->path_key(job.node), child);
  const bool given = nn::token_uniform(key, 0) < config_.temperature_share;
  return sampling_at(config_, given ? config_.temperature : 1);
}

void StepExpander::submit(std::uint64_t id, const Tree& tree, NodeId node) {
  const std::int64_t number = next_job_++;
  Job& job = jobs_[number];
  job.id = id;
  job.tree = &tree;
  job.node = node;
  job.path = tree.state_items(node);
  job.whole = config_.force_terminate && tree.depth(node) + 1 >= config_.depth_limit;
  const Question& question = question_of_(id);
  const TreeNote& note = note_of(id, tree, question);
  job.cap = cap_of(job, question);
  submit_samples(job, question, number);
  if (config_.inject_solution && !note.gold.empty() && question.answer_key.empty()) {
    submit_injected(job, note, number);
  }
}

// The path goes on from the nearest node that was read: what is found when the request enters.
void StepExpander::locate(const Job& job, const Tokens& step, nn::GenerationRequest& request) {
  const BranchCache::Found from = cache_.nearest(job.id, *job.tree, job.node);
  std::size_t read = 0;
  if (from.node != search::kNoNode) read = job.tree->state_items(from.node).size() - 1;
  request.parent = from.sequence;
  request.pending.assign(job.path.begin() + static_cast<std::ptrdiff_t>(read), job.path.end());
  request.pending.insert(request.pending.end(), step.begin(), step.end());
}

// Whoever drew a node has read the way to it, but for its last token.
std::int64_t StepExpander::known_tokens(const Job& job) {
  return job.node == 0 ? 0 : static_cast<std::int64_t>(job.path.size()) - 1;
}

void StepExpander::submit_samples(Job& job, const Question& question, std::int64_t number) {
  nn::GenerationRequest request;
  request.id = number * kKinds + kSamples;
  request.pending = job.path;
  request.known = known_tokens(job);
  request.locate = [this, &job](nn::GenerationRequest& each) { locate(job, {}, each); };
  request.ends = prompts_.ends();
  request.keep_hidden = config_.dedup_similarity > 0;
  std::int64_t count = job.node == 0 ? config_.root_breadth : config_.breadth;
  if (job.whole) count = question.answer_key.empty() ? 1 : 2;
  const std::uint64_t place = job.tree->path_key(job.node);
  for (std::int64_t k = 0; k < count; ++k) {
    const auto child = static_cast<std::uint64_t>(k);
    nn::SampleSpec sample;
    sample.key = sample_key(seed_, SampleUse::kStep, round_, job.id, place, child);
    sample.options = sampling(job, child);
    sample.most_tokens = job.cap;
    request.samples.push_back(sample);
    job.watchers.emplace_back(prompts_, rules_, job.path, job.whole);
  }
  request.stops = [&job](std::size_t sample, std::int32_t token) {
    return job.watchers[sample].push(token);
  };
  ++job.awaited;
  decoder_.generator().submit(std::move(request));
}

// The given solution's next step, where the way here is its beginning: compared by tokens. Never
// the whole solution at the root.
void StepExpander::submit_injected(Job& job, const TreeNote& note, std::int64_t number) {
  const Tokens& gold = note.gold;
  const std::span<const std::int32_t> done =
      std::span(job.path).subspan(static_cast<std::size_t>(note.prompt_tokens));
  if (done.size() >= gold.size() || !std::equal(done.begin(), done.end(), gold.begin())) return;
  StepWatcher watcher(prompts_, rules_, job.path, job.whole);
  Tokens step;
  for (std::size_t i = done.size(); i < gold.size(); ++i) {
    step.push_back(gold[i]);
    if (watcher.push(gold[i])) break;
  }
  if (rules_.kind == StepRules::Kind::kOfficial &&
      static_cast<std::int64_t>(step.size()) > job.cap) {
    step.resize(static_cast<std::size_t>(job.cap));
  }
  if (static_cast<std::int64_t>(step.size()) > tokens_left(job)) return;
  if (job.node == 0 && step.size() == gold.size()) return;
  nn::GenerationRequest request;
  request.id = number * kKinds + kInjected;
  request.pending = job.path;
  request.pending.insert(request.pending.end(), step.begin(), step.end());
  request.known = known_tokens(job);
  request.locate = [this, &job, step](nn::GenerationRequest& each) { locate(job, step, each); };
  request.score_pending = true;
  request.keep_trunk = true;
  Candidate candidate;
  candidate.injected = true;
  candidate.step.tokens = step;
  candidate.step.terminal = prompts_.is_end(step.back());
  job.candidates.push_back(std::move(candidate));
  ++job.awaited;
  decoder_.generator().submit(std::move(request));
}

void StepExpander::take_injected(Job& job, nn::GenerationResult& result) {
  Candidate& candidate = job.candidates.front();
  const auto& scores = result.pending_log_probabilities;
  for (std::size_t i = scores.size() - candidate.step.tokens.size(); i < scores.size(); ++i) {
    candidate.step.log_prob += double{scores[i]};
  }
  // The trunk has the step's last token, too.
  decoder_.blocks().truncate(result.trunk, decoder_.blocks().length(result.trunk) - 1);
  candidate.sequence = result.trunk;
  ++statistics_.injected;
}

void StepExpander::take_samples(Job& job, nn::GenerationResult& result) {
  const auto cap = static_cast<std::size_t>(job.cap);
  const std::int64_t before = static_cast<std::int64_t>(job.path.size());
  for (std::size_t k = 0; k < result.samples.size(); ++k) {
    nn::GeneratedSample& sample = result.samples[k];
    Candidate candidate;
    candidate.step = job.watchers[k].cut(sample, cap, job.node == 0, result.samples.size() == 1);
    candidate.states = states_of(candidate.step, sample);
    const auto length = static_cast<std::int64_t>(candidate.step.tokens.size());
    // A solution that may not become longer ends here, as it is.
    if (tokens_left(job) - length <= 0 ||
        job.tree->depth(job.node) + 1 >= static_cast<std::uint64_t>(config_.depth_limit)) {
      candidate.step.terminal = true;
    }
    candidate.sequence = sample.sequence;
    const std::int64_t held = decoder_.blocks().length(sample.sequence);
    decoder_.blocks().truncate(sample.sequence, std::min(held, before + length - 1));
    keep(job, std::move(candidate));
  }
}

bool StepExpander::alike(const Candidate& a, const Candidate& b) const {
  if (config_.dedup_similarity == 0 || a.injected || b.injected) return false;
  const std::int64_t width = decoder_.width();
  return step_similarity({a.step.tokens, a.states, width}, {b.step.tokens, b.states, width}) >
         config_.dedup_similarity;
}

// Steps of the same tokens are one child; of alike ones the first is, where that is asked for.
void StepExpander::keep(Job& job, Candidate candidate) {
  for (const Candidate& other : job.candidates) {
    const bool same = other.step.tokens == candidate.step.tokens;
    if (!same && !alike(other, candidate)) continue;
    ++(same ? statistics_.duplicates : statistics_.similar);
    decoder_.blocks().release(candidate.sequence);
    return;
  }
  job.candidates.push_back(std::move(candidate));
}

// Before ends and opinions are asked for, which may have to wait for room: these sequences can make
// it.
void StepExpander::store(Job& job) {
  for (std::uint32_t child = 0; child < job.candidates.size(); ++child) {
    const Candidate& candidate = job.candidates[child];
    if (candidate.step.terminal) {
      decoder_.blocks().release(candidate.sequence);
    } else {
      cache_.put(job.id, job.node, child, candidate.sequence);
    }
  }
}

// An end that was not sampled has a probability all the same, which a search's priors and the
// learner's sums need: whatever policy is asked, a step is all its tokens.
void StepExpander::score_ends(Job& job, std::int64_t number) {
  for (std::size_t c = 0; c < job.candidates.size(); ++c) {
    const Step& step = job.candidates[c].step;
    if (!step.end_appended) continue;
    const Tokens sampled(step.tokens.begin(), step.tokens.end() - 1);
    nn::GenerationRequest request;
    request.id = number * kKinds + kEnds + static_cast<std::int64_t>(c);
    request.pending = job.path;
    request.pending.insert(request.pending.end(), sampled.begin(), sampled.end());
    request.locate = [this, &job, sampled](nn::GenerationRequest& each) {
      locate(job, sampled, each);
    };
    request.choices = {step.tokens.back()};
    ++job.awaited;
    ++statistics_.ends_appended;
    decoder_.generator().submit(std::move(request));
  }
}

void StepExpander::evaluate(Job& job, std::int64_t number) {
  if (!evaluator_.on()) return;
  const Question& question = question_of_(job.id);
  const auto prompt = static_cast<std::ptrdiff_t>(notes_.at(job.id).prompt_tokens);
  for (std::size_t c = 0; c < job.candidates.size(); ++c) {
    Tokens partial(job.path.begin() + prompt, job.path.end());
    const Tokens& step = job.candidates[c].step.tokens;
    partial.insert(partial.end(), step.begin(), step.end());
    const std::int64_t ticket = number * kMostCandidates + static_cast<std::int64_t>(c);
    if (evaluator_.submit(ticket, job.id, question, prompts_.text(partial))) {
      ++job.awaited;
    } else {
      job.candidates[c].self_evaluation.reset();
    }
  }
}

void StepExpander::advance(std::vector<Expansion>& finished) {
  for (nn::GenerationResult& result : decoder_.generator().advance()) {
    std::int64_t number = 0;
    if (evaluator_.owns(result)) {
      const auto answer = evaluator_.take(result);
      if (!answer) continue;
      number = answer->ticket / kMostCandidates;
      Job& job = jobs_.at(number);
      job.candidates[static_cast<std::size_t>(answer->ticket % kMostCandidates)].self_evaluation =
          answer->confidence;
      if (--job.awaited > 0) continue;
    } else {
      number = result.id / kKinds;
      const std::int64_t kind = result.id % kKinds;
      Job& job = jobs_.at(number);
      if (kind >= kEnds) {
        job.candidates[static_cast<std::size_t>(kind - kEnds)].step.log_prob +=
            double{result.choice_log_probabilities.front()};
        if (--job.awaited > 0) continue;
      } else {
        kind == kInjected ? take_injected(job, result) : take_samples(job, result);
        if (--job.awaited > 0) continue;
        store(job);
        score_ends(job, number);
        evaluate(job, number);
        if (job.awaited > 0) continue;
      }
    }
    finish(jobs_.at(number), finished);
    jobs_.erase(number);
  }
}

void StepExpander::finish(Job& job, std::vector<Expansion>& finished) {
  Expansion expansion = spare(job.id, job.node);
  for (const Candidate& candidate : job.candidates) {
    const search::NodeFacts facts = facts_of(job, candidate);
    expansion.add(facts, candidate.step.tokens);
    ++statistics_.steps;
    statistics_.truncated += candidate.step.truncated ? 1 : 0;
  }
  finished.push_back(std::move(expansion));
}

void StepExpander::moved(std::uint64_t id, const Tree& tree, NodeId root) {
  cache_.keep_below(id, tree, root);
}

void StepExpander::ended(std::uint64_t id) {
  cache_.forget(id);
  evaluator_.forget(id);
  notes_.erase(id);
}

double StepExpander::occupancy() const {
  return decoder_.statistics().occupancy(decoder_.most_rows());
}

}  // namespace tenfold::mcts_dpo
