#include "mcts_dpo/modes/collector.hpp"

#include <algorithm>

namespace tenfold::mcts_dpo {

void Collector::run(std::int64_t more, RoundRecords& records) {
  const auto left = static_cast<std::int64_t>(records.questions() - records.done());
  meeting_.begin(std::min(more, left));
  meeting_.work([this] { work(); });
  gather(records);
}

}  // namespace tenfold::mcts_dpo
