#include "mcts_dpo/search/self_evaluation.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace tenfold::mcts_dpo {

namespace {

// Ids of requests that are not the expander's.
constexpr std::int64_t kFirstId = std::int64_t{1} << 62;
// Tokens of the official answer among which a letter is looked for.
constexpr std::int64_t kOfficialTokens = 4;

std::size_t common(const Tokens& a, const Tokens& b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                                  a.begin());
}

}  // namespace

bool SelfEvaluator::owns(const nn::GenerationResult& result) const {
  return result.id >= kFirstId;
}

bool SelfEvaluator::submit(std::int64_t ticket, std::uint64_t tree, const Question& question,
                           std::string_view partial) {
  Asked asked;
  asked.ticket = ticket;
  asked.tree = tree;
  asked.prompt = official() ? prompts_.open_evaluation(question, partial)
                            : prompts_.evaluation(question, partial);
  if (static_cast<std::int64_t>(asked.prompt.size()) + kOfficialTokens > decoder_.longest()) {
    ++too_long_;
    return false;
  }
  request(std::move(asked));
  return true;
}

void SelfEvaluator::request(Asked asked) {
  nn::GenerationRequest request;
  request.id = kFirstId + next_++;
  request.pending = asked.prompt;
  request.locate = [this, tree = asked.tree, prompt = asked.prompt](nn::GenerationRequest& each) {
    locate(tree, prompt, each);
  };
  const auto trunk = trunks_.find(asked.tree);
  request.keep_trunk = trunk == trunks_.end() || trunk->second.sequence == nn::Sequence::kNone;
  if (official() && !asked.letter_found) {
    nn::SampleSpec greedy;
    greedy.options.temperature = 0;
    greedy.most_tokens = kOfficialTokens;
    request.samples = {greedy};
    request.ends = prompts_.ends();
  }
  request.choices =
      official() ? prompts_.right_variants() : Tokens{prompts_.right(), prompts_.wrong()};
  asked_.emplace(request.id, std::move(asked));
  decoder_.generator().submit(std::move(request));
}

// Goes on from what the question's first evaluation has read, as far as the prompts are the same.
void SelfEvaluator::locate(std::uint64_t tree, const Tokens& prompt,
                           nn::GenerationRequest& request) const {
  const auto trunk = trunks_.find(tree);
  std::size_t shared = 0;
  if (trunk != trunks_.end()) {
    shared = std::min(common(trunk->second.tokens, prompt), prompt.size() - 1);
    request.known = static_cast<std::int64_t>(shared);
    if (trunk->second.sequence == nn::Sequence::kNone) shared = 0;
  }
  request.parent = shared == 0 ? nn::Sequence::kNone : trunk->second.sequence;
  request.parent_tokens = static_cast<std::int64_t>(shared);
  request.pending.assign(prompt.begin() + static_cast<std::ptrdiff_t>(shared), prompt.end());
}

bool SelfEvaluator::make_room(std::int64_t blocks) {
  const std::int64_t wanted = decoder_.blocks().free_blocks() + blocks;
  bool any = false;
  for (auto& [tree, trunk] : trunks_) {
    if (decoder_.blocks().free_blocks() >= wanted) break;
    any |= trunk.sequence != nn::Sequence::kNone;
    release(trunk);
  }
  return any;
}

std::optional<SelfEvaluator::Answer> SelfEvaluator::take(nn::GenerationResult& result) {
  const auto at = asked_.find(result.id);
  base::require(at != asked_.end(), "SelfEvaluator: a result that nobody asked for");
  Asked asked = std::move(at->second);
  asked_.erase(at);
  nn::KvBlocks& blocks = decoder_.blocks();
  if (result.trunk != nn::Sequence::kNone) {
    Trunk& trunk = trunks_[asked.tree];
    if (trunk.sequence == nn::Sequence::kNone) {
      trunk = {result.trunk, asked.prompt};
    } else {
      blocks.release(result.trunk);
    }
  }
  for (const nn::GeneratedSample& sample : result.samples) blocks.release(sample.sequence);
  if (!result.samples.empty()) return read_letter(std::move(asked), result);
  return Answer{asked.ticket, confidence(result)};
}

// The published code: the first of a few greedy tokens that is a verdict tells where to look; none,
// and C is 0.
std::optional<SelfEvaluator::Answer> SelfEvaluator::read_letter(
    Asked asked, const nn::GenerationResult& result) {
  const Tokens& tokens = result.samples.front().tokens;
  const Tokens &right = prompts_.right_variants(), &wrong = prompts_.wrong_variants();
  const auto letter = std::find_if(tokens.begin(), tokens.end(), [&](std::int32_t token) {
    return std::find(right.begin(), right.end(), token) != right.end() ||
           std::find(wrong.begin(), wrong.end(), token) != wrong.end();
  });
  if (letter == tokens.end()) return Answer{asked.ticket, 0};
  if (letter == tokens.begin()) return Answer{asked.ticket, confidence(result)};
  asked.prompt.insert(asked.prompt.end(), tokens.begin(), letter);
  asked.letter_found = true;
  request(std::move(asked));
  return std::nullopt;
}

double SelfEvaluator::confidence(const nn::GenerationResult& result) const {
  if (official()) {
    double sum = 0;
    for (const float each : result.choice_log_probabilities) sum += std::exp(double{each});
    return sum;
  }
  const double right = std::exp(double{result.choice_log_probabilities[0]});
  const double wrong = std::exp(double{result.choice_log_probabilities[1]});
  return right + wrong > 0 ? right / (right + wrong) : 0.5;
}

void SelfEvaluator::forget(std::uint64_t tree) {
  const auto at = trunks_.find(tree);
  if (at == trunks_.end()) return;
  release(at->second);
  trunks_.erase(at);
}

void SelfEvaluator::release(Trunk& trunk) const {
  if (trunk.sequence != nn::Sequence::kNone) decoder_.blocks().release(trunk.sequence);
  trunk.sequence = nn::Sequence::kNone;
}

}  // namespace tenfold::mcts_dpo
