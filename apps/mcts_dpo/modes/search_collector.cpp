#include <optional>

#include "base/log.hpp"
#include "mcts_dpo/modes/collector.hpp"
#include "mcts_dpo/modes/search_pace.hpp"
#include "mcts_dpo/modes/searched_trees.hpp"
#include "mcts_dpo/search/search_rules.hpp"
#include "mcts_dpo/search/step_expander.hpp"
#include "search/search_pool.hpp"

namespace tenfold::mcts_dpo {

WorkShare work_share(const train::RunContext& context) {
  const int rank = context.world.rank();
  if (!context.roles) return {rank, context.world.size()};
  return {context.roles->learner(rank) ? -1 : rank - context.roles->learners,
          context.roles->actors};
}

namespace {

class SearchCollector final : public Collector {
 public:
  SearchCollector(const Config& config, const Prompts& prompts, Decoder& decoder,
                  train::RunContext& context)
      : Collector(context.world),
        config_(config),
        prompts_(prompts),
        decoder_(decoder),
        context_(context),
        options_(search_options(config, context.seed)),
        counters_(context.world, kCounters),
        pace_(context.world, work_share(context).part == 0) {}

  void begin(const Round& round, const RoundRecords& records) override {
    round_ = round;
    pool_.reset();
    expander_.reset();  // before the next one is made: it takes its hand off the decoder
    expander_ =
        std::make_unique<StepExpander>(config_, prompts_, decoder_, context_.seed, round.number,
                                       [this](std::uint64_t id) -> const Question& {
                                         return round_.questions[position_of(id) / round_.searches];
                                       });
    generated_before_ = decoder_.statistics().generated;
    counters_.set(kTaken, 0);
    std::vector<bool> begun(records.questions());
    for (const Record& each : records.unfinished()) begun.at(each.position) = true;
    std::vector<std::uint64_t> ids;
    for (std::size_t p = 0; p < records.questions(); ++p) {
      if (records.has(p) || begun[p]) continue;
      ids.push_back(search_id(round.first + p / round.searches, p % round.searches));
    }
    pace_.begin(static_cast<std::int64_t>(records.questions()),
                static_cast<std::int64_t>(records.done()));
    source_.emplace(std::move(ids), counters_, kTaken);
    pool_.emplace(options_, static_cast<std::size_t>(config_.trees_in_flight), *expander_, *source_,
                  [this](search::TreeSearch&& search) { finished(std::move(search)); });
    // Half-searched trees of the process before go on wherever they come to lie.
    const WorkShare share = work_share(context_);
    for (std::size_t i = 0; i < records.unfinished().size(); ++i) {
      if (static_cast<int>(i % static_cast<std::size_t>(share.parts)) == share.part) {
        pool_->adopt(records.unfinished()[i].bytes);
      }
    }
  }

  CollectorCounts counts() const override {
    CollectorCounts counts;
    if (!expander_) return counts;
    counts.evictions = static_cast<std::int64_t>(expander_->evictions());
    counts.duplicates = static_cast<std::int64_t>(expander_->statistics().duplicates);
    counts.similar = static_cast<std::int64_t>(expander_->statistics().similar);
    return counts;
  }

  void work() override {
    if (!work_share(context_).any()) return;
    pool_->run([this] {
      pace_.pulse(static_cast<std::int64_t>(expander_->statistics().steps),
                  decoder_.statistics().generated - generated_before_, expander_->occupancy());
      return meeting().due();
    });
  }

  void gather(RoundRecords& records) override {
    std::vector<Record> under_way;
    for (std::vector<std::byte>& tree : pool_->trees()) {
      const std::uint64_t id = search::TreeSearch::id_of(search::ByteReader(tree));
      under_way.push_back({position_of(id), std::move(tree)});
    }
    records.gather(context_.world, mine_, under_way);
    mine_.clear();
  }

 private:
  enum Counter : std::size_t { kTaken, kCounters };

  void finished(search::TreeSearch&& search) {
    search::ByteWriter out;
    search.put(out);
    search::seal(out.bytes());
    mine_.push_back({position_of(search.id()), std::move(out.bytes())});
    meeting().done(1);
    pace_.tree_done();
  }

  std::uint64_t position_of(std::uint64_t id) const {
    return (question_of_search(id) - round_.first) * round_.searches + (id >> kSearchBit);
  }

  const Config& config_;
  const Prompts& prompts_;
  Decoder& decoder_;
  train::RunContext& context_;
  search::SearchOptions options_;
  comm::SharedCounters counters_;
  SearchPace pace_;
  Round round_;
  std::int64_t generated_before_ = 0;
  std::unique_ptr<StepExpander> expander_;
  std::optional<search::SharedWork> source_;
  std::optional<search::SearchPool> pool_;
  std::vector<Record> mine_;
};

}  // namespace

std::unique_ptr<Collector> make_search_collector(const Config& config, const Prompts& prompts,
                                                 Decoder& decoder, train::RunContext& context) {
  return std::make_unique<SearchCollector>(config, prompts, decoder, context);
}

}  // namespace tenfold::mcts_dpo
