#include <algorithm>

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

namespace {

class SampleCollector final : public Collector {
 public:
  SampleCollector(const Config& config, const Prompts& prompts, Decoder& decoder,
                  train::RunContext& context)
      : config_(config), context_(context), sampler_(config, prompts, decoder, context.seed) {}

  void begin(const Round& round, const RoundRecords&) override { round_ = round; }

  void run(std::int64_t more, RoundRecords& records) override {
    const comm::Communicator& world = context_.world;
    const std::size_t begin = records.done();
    const std::size_t end = std::min(begin + static_cast<std::size_t>(more), records.questions());
    const WorkShare share = work_share(context_);
    std::vector<Record> mine;
    world.agree([&] {
      std::vector<SolutionSampler::Work> work;
      for (std::size_t p = begin; p < end; ++p) {
        if (static_cast<int>(p % static_cast<std::size_t>(share.parts)) != share.part) continue;
        work.push_back({round_.first + p, &round_.questions[p]});
      }
      nn::SamplingOptions sampling;
      sampling.temperature = config_.temperature;
      sampling.top_k = config_.top_k;
      sampling.top_p = config_.top_p;
      const auto all =
          sampler_.draw(work, config_.samples, sampling, SampleUse::kSolution, round_.number);
      for (std::size_t i = 0; i < work.size(); ++i) {
        mine.push_back({work[i].index - round_.first, solution_bytes(all[i])});
      }
    });
    records.gather(world, mine, {});
  }

 private:
  const Config& config_;
  train::RunContext& context_;
  SolutionSampler sampler_;
  Round round_;
};

}  // namespace

std::unique_ptr<Collector> make_sample_collector(const Config& config, const Prompts& prompts,
                                                 Decoder& decoder, train::RunContext& context) {
  return std::make_unique<SampleCollector>(config, prompts, decoder, context);
}

}  // namespace tenfold::mcts_dpo
