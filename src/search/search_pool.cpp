#include "search/search_pool.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace tenfold::search {

using base::Code;
using base::Error;

namespace {

constexpr std::uint32_t kPoolMark = 0x4C4F4F50;  // "POOL"
constexpr std::uint32_t kPoolVersion = 1;

}  // namespace

SearchPool::SearchPool(const SearchOptions& options, std::size_t trees_in_flight,
                       Expander& expander, WorkSource& source, Finished finished)
    : options_(options),
      trees_in_flight_(trees_in_flight),
      expander_(&expander),
      source_(&source),
      finished_(std::move(finished)) {
  options_.validate();
  if (trees_in_flight == 0) {
    throw Error(Code::kUsage, "search: 0 trees in flight", "Give at least 1");
  }
}

SearchPool::~SearchPool() = default;

bool SearchPool::run(const std::function<bool()>& stop) {
  while (!stop || !stop()) {
    fill();
    if (slots_.empty()) return true;
    arrived_.clear();
    expander_->advance(arrived_);
    for (Expansion& expansion : arrived_) {
      deliver(expansion);
      expander_->give_back(std::move(expansion));
    }
  }
  return false;
}

void SearchPool::fill() {
  while (slots_.size() < trees_in_flight_) {
    const std::optional<std::uint64_t> id = source_->next();
    if (!id) return;
    if (slots_.contains(*id)) {
      throw Error(Code::kBug, fmt::format("search: tree {} is to begin while it is in flight", *id),
                  "Ids of work items must differ");
    }
    begin(TreeSearch(options_, *id, expander_->plant(*id)));
  }
}

void SearchPool::begin(TreeSearch search) {
  const std::uint64_t id = search.id();
  auto slot = std::make_unique<Slot>(Slot{std::move(search), kNoNode, begun_++});
  Slot& placed = *slots_.emplace(id, std::move(slot)).first->second;
  step(placed);
}

void SearchPool::step(Slot& slot) {
  TreeSearch& search = slot.search;
  wanted_.clear();
  if (slot.told == kNoNode) search.awaited(wanted_);  // what a stored tree had asked for
  search.advance(wanted_);
  if (search.done()) {
    end(search.id());
    return;
  }
  if (search.root() != slot.told) {
    slot.told = search.root();
    expander_->moved(search.id(), search.tree(), slot.told);
  }
  for (const NodeId node : wanted_) expander_->submit(search.id(), search.tree(), node);
  awaited_ += wanted_.size();
}

void SearchPool::deliver(Expansion& expansion) {
  const auto found = slots_.find(expansion.tree);
  if (found == slots_.end()) {
    throw Error(Code::kBug,
                fmt::format("search: children for tree {}, which is not searched", expansion.tree));
  }
  found->second->search.give(expansion);
  --awaited_;
  step(*found->second);
}

void SearchPool::end(std::uint64_t id) {
  const auto node = slots_.extract(id);
  TreeSearch& search = node.mapped()->search;
  counts_ += search.counts();
  ++done_;
  expander_->ended(id);
  finished_(std::move(search));
}

PoolStatistics SearchPool::statistics() const {
  PoolStatistics found{done_, slots_.size(), awaited_, counts_, expander_->occupancy()};
  for (const auto& [id, slot] : slots_) found.counts += slot->search.counts();
  return found;
}

std::vector<const SearchPool::Slot*> SearchPool::in_order() const {
  std::vector<const Slot*> slots;
  for (const auto& [id, slot] : slots_) slots.push_back(slot.get());
  std::sort(slots.begin(), slots.end(),
            [](const Slot* a, const Slot* b) { return a->number < b->number; });
  return slots;
}

std::vector<std::vector<std::byte>> SearchPool::trees() const {
  std::vector<std::vector<std::byte>> all;
  for (const Slot* slot : in_order()) {
    ByteWriter out;
    slot->search.put(out);
    seal(out.bytes());
    all.push_back(std::move(out.bytes()));
  }
  return all;
}

void SearchPool::adopt(std::span<const std::byte> tree) {
  ByteReader in(unsealed(tree));
  TreeSearch search = TreeSearch::get(in, options_);
  check_state(in.ended(), "bytes behind a tree");
  check_state(!slots_.contains(search.id()),
              fmt::format("tree {} is in flight twice", search.id()));
  begin(std::move(search));
}

std::vector<std::byte> SearchPool::state() const {
  ByteWriter out;
  out.number(kPoolMark);
  out.number(kPoolVersion);
  out.number(done_);
  for (const std::uint64_t count : {counts_.iterations, counts_.expansions, counts_.children,
                                    counts_.dead_ends, counts_.roots_settled}) {
    out.number(count);
  }
  const auto all = trees();
  out.number(static_cast<std::uint64_t>(all.size()));
  for (const auto& tree : all) out.array(tree);
  seal(out.bytes());
  return std::move(out.bytes());
}

void SearchPool::restore(std::span<const std::byte> state) {
  base::require(slots_.empty() && done_ == 0, "SearchPool::restore: the pool is in use");
  ByteReader in(unsealed(state));
  check_state(in.number<std::uint32_t>() == kPoolMark, "no pool where one should be");
  const auto version = in.number<std::uint32_t>();
  check_state(version == kPoolVersion, fmt::format("a pool of version {}", version));
  done_ = in.number<std::uint64_t>();
  for (std::uint64_t* count : {&counts_.iterations, &counts_.expansions, &counts_.children,
                               &counts_.dead_ends, &counts_.roots_settled}) {
    *count = in.number<std::uint64_t>();
  }
  const auto count = in.number<std::uint64_t>();
  for (std::uint64_t k = 0; k < count; ++k) adopt(in.array<std::byte>());
  check_state(in.ended(), "bytes behind the last tree");
}

}  // namespace tenfold::search
