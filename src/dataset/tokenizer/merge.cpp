#include <algorithm>
#include <array>
#include <bit>
#include <queue>

#include "dataset/tokenizer/bpe.hpp"

namespace tenfold::dataset {

namespace {

// Up to here looking through all pairs for each merge is faster than a heap.
constexpr std::size_t kFew = 48;

void merge_few(const MergeTable& merges, std::vector<std::int32_t>& symbols, std::size_t begin) {
  std::int32_t* ids = symbols.data() + begin;
  std::size_t count = symbols.size() - begin;
  std::array<MergeTable::Merge, kFew> pairs;  // pairs[i] of ids[i] and ids[i + 1]
  for (std::size_t i = 0; i + 1 < count; ++i) pairs[i] = merges.find(ids[i], ids[i + 1]);
  while (count > 1) {
    std::size_t best = count;
    auto lowest = static_cast<std::uint32_t>(-1);  // -1 for "no merge" is the highest, too
    for (std::size_t i = 0; i + 1 < count; ++i) {
      const auto rank = static_cast<std::uint32_t>(pairs[i].rank);
      if (rank < lowest) {
        lowest = rank;
        best = i;
      }
    }
    if (best == count) break;
    ids[best] = pairs[best].token;
    --count;
    for (std::size_t i = best + 1; i < count; ++i) {
      ids[i] = ids[i + 1];
      pairs[i - 1] = pairs[i];
    }
    if (best > 0) pairs[best - 1] = merges.find(ids[best - 1], ids[best]);
    if (best + 1 < count) pairs[best] = merges.find(ids[best], ids[best + 1]);
  }
  symbols.resize(begin + count);
}

struct Candidate {
  std::uint64_t order;  // rank, then position: one comparison
  std::int32_t left, right;
  bool operator<(const Candidate& other) const { return order > other.order; }
};

class ManyMerger {
 public:
  ManyMerger(const MergeTable& merges, std::vector<std::int32_t>& symbols, std::size_t begin)
      : merges_(merges), symbols_(symbols), begin_(begin), ids_(symbols.data() + begin) {
    const auto count = static_cast<std::int32_t>(symbols.size() - begin);
    previous_.resize(count);
    next_.resize(count);
    for (std::int32_t i = 0; i < count; ++i) {
      previous_[i] = i - 1;
      next_[i] = i + 1 < count ? i + 1 : -1;
    }
    std::vector<Candidate> all;
    all.reserve(count);
    for (std::int32_t i = 0; i + 1 < count; ++i)
      add(i, [&](Candidate made) { all.push_back(made); });
    candidates_ = std::priority_queue<Candidate>({}, std::move(all));
  }

  void merge() {
    const auto push = [this](Candidate made) { candidates_.push(made); };
    while (!candidates_.empty()) {
      const Candidate top = candidates_.top();
      candidates_.pop();
      const auto at = static_cast<std::int32_t>(top.order & 0xFFFFFFFFU);
      const std::int32_t right = next_[at];
      // One of the two was merged with another since.
      if (right < 0 || ids_[at] != top.left || ids_[right] != top.right) continue;
      ids_[at] = merges_.find(top.left, top.right).token;
      ids_[right] = kGone;
      next_[at] = next_[right];
      if (next_[at] >= 0) previous_[next_[at]] = at;
      if (previous_[at] >= 0) add(previous_[at], push);
      if (next_[at] >= 0) add(at, push);
    }
    symbols_.erase(
        std::remove(symbols_.begin() + static_cast<std::ptrdiff_t>(begin_), symbols_.end(), kGone),
        symbols_.end());
  }

 private:
  static constexpr std::int32_t kGone = -1;

  template <class Put>
  void add(std::int32_t at, Put put) const {
    const std::int32_t left = ids_[at], right = ids_[next_[at]];
    const MergeTable::Merge merge = merges_.find(left, right);
    if (merge.rank < 0) return;
    put({(static_cast<std::uint64_t>(merge.rank) << 32U) | static_cast<std::uint32_t>(at), left,
         right});
  }

  const MergeTable& merges_;
  std::vector<std::int32_t>& symbols_;
  std::size_t begin_;
  std::int32_t* ids_;
  std::vector<std::int32_t> previous_, next_;
  std::priority_queue<Candidate> candidates_;
};

}  // namespace

void merge_symbols(const MergeTable& merges, std::vector<std::int32_t>& symbols,
                   std::size_t begin) {
  if (merges.empty() || symbols.size() - begin < 2) return;
  if (symbols.size() - begin <= kFew) return merge_few(merges, symbols, begin);
  ManyMerger(merges, symbols, begin).merge();
}

MergeTable::MergeTable(std::size_t merges) {
  const std::size_t size = std::bit_ceil(2 * merges + 2);
  entries_.resize(size);
  mask_ = size - 1;
  shift_ = 64 - static_cast<unsigned>(std::countr_zero(size));
}

void MergeTable::put(std::int32_t left, std::int32_t right, Merge merge) {
  const std::uint64_t pair = key(left, right);
  for (std::size_t at = place(pair);; ++at) {
    Entry& entry = entries_[at & mask_];
    const bool free = entry.merge.rank < 0;
    if (!free && entry.key != pair) continue;
    if (free) ++count_;
    entry = {pair, merge};
    return;
  }
}

}  // namespace tenfold::dataset
