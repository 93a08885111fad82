#include "mcts_dpo/modes/collector.hpp"
#include "search/bytes.hpp"

namespace tenfold::mcts_dpo {

Bytes solution_bytes(const std::vector<Solution>& solutions) {
  search::ByteWriter out;
  out.number(static_cast<std::uint64_t>(solutions.size()));
  for (const Solution& each : solutions) {
    out.array(each.tokens);
    out.number(each.log_prob);
    out.number(static_cast<std::uint8_t>(each.ended));
    out.number(static_cast<std::uint8_t>(each.judgement.verdict));
    out.number(each.judgement.reward);
  }
  search::seal(out.bytes());
  return std::move(out.bytes());
}

std::vector<Solution> solutions_of(std::span<const std::byte> bytes) {
  search::ByteReader in(search::unsealed(bytes));
  std::vector<Solution> solutions;
  for (auto left = in.number<std::uint64_t>(); left > 0; --left) {
    Solution each;
    each.tokens = in.array<std::int32_t>();
    each.log_prob = in.number<double>();
    each.ended = in.number<std::uint8_t>() != 0;
    each.judgement.verdict = static_cast<Verdict>(in.number<std::uint8_t>());
    each.judgement.reward = in.number<double>();
    solutions.push_back(std::move(each));
  }
  return solutions;
}

SamplePlan round_samples(const Config& config) {
  return {config.samples, sampling_at(config, config.temperature), SampleUse::kSolution};
}

namespace {

/// Questions are dealt by their number. What is being drawn when a checkpoint is taken is drawn
/// again by who goes on from it: the same, since it depends on the question alone.
class SampleCollector final : public Collector {
 public:
  SampleCollector(const Config& config, const SamplePlan& plan, const Prompts& prompts,
                  Decoder& decoder, train::RunContext& context)
      : Collector(context.world),
        plan_(plan),
        context_(context),
        sampler_(config, prompts, decoder, context.seed) {}

  void begin(const Round& round, const RoundRecords& records) override {
    first_ = round.first;
    const WorkShare share = work_share(context_);
    std::vector<SolutionSampler::Work> mine;
    for (std::size_t p = 0; p < records.questions(); ++p) {
      if (static_cast<int>(p % static_cast<std::size_t>(share.parts)) != share.part) continue;
      if (!records.has(p)) mine.push_back({round.first + p, &round.questions[p]});
    }
    sampler_.begin(std::move(mine), plan_, round.number);
  }

  void work() override {
    while (!sampler_.idle() && !meeting().due()) {
      for (const SolutionSampler::Drawn& each : sampler_.advance()) {
        mine_.push_back({each.index - first_, solution_bytes(each.solutions)});
        meeting().done(1);
      }
    }
  }

  void gather(RoundRecords& records) override {
    records.gather(context_.world, mine_, {});
    mine_.clear();
  }

 private:
  SamplePlan plan_;
  train::RunContext& context_;
  SolutionSampler sampler_;
  std::uint64_t first_ = 0;
  std::vector<Record> mine_;
};

}  // namespace

std::unique_ptr<Collector> make_sample_collector(const Config& config, const SamplePlan& plan,
                                                 const Prompts& prompts, Decoder& decoder,
                                                 train::RunContext& context) {
  return std::make_unique<SampleCollector>(config, plan, prompts, decoder, context);
}

}  // namespace tenfold::mcts_dpo
