#include "mcts_dpo/modes/round_records.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "search/bytes.hpp"

namespace tenfold::mcts_dpo {

using search::ByteReader;
using search::ByteWriter;

namespace {

constexpr std::uint8_t kFinished = 1, kUnfinished = 0;

void put(ByteWriter& out, std::uint64_t position, std::uint8_t kind,
         std::span<const std::byte> bytes) {
  out.number(position);
  out.number(kind);
  out.array(bytes);
}

}  // namespace

RoundRecords::RoundRecords(std::size_t questions, const train::ShardPlan& shards)
    : shards_(shards), finished_(questions) {}

void RoundRecords::clear() {
  for (Bytes& each : finished_) each.clear();
  unfinished_.clear();
  done_ = 0;
}

void RoundRecords::swap(RoundRecords& other) {
  finished_.swap(other.finished_);
  unfinished_.swap(other.unfinished_);
  std::swap(done_, other.done_);
}

// All ranks' records, in order of positions.
std::vector<Record> RoundRecords::exchange(const comm::Communicator& world,
                                           std::span<const Record> mine) {
  ByteWriter out;
  for (const Record& each : mine) put(out, each.position, kFinished, each.bytes);
  const auto size = static_cast<std::int64_t>(out.bytes().size());
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(world.size()));
  world.all_gather(std::span<const std::int64_t>(&size, 1), std::span(sizes));
  std::vector<int> counts;
  std::int64_t total = 0;
  for (const std::int64_t each : sizes) {
    total += each;
    base::require(total <= INT32_MAX, "RoundRecords: more than 2 GiB at a time; use --slice");
    counts.push_back(static_cast<int>(each));
  }
  Bytes all(static_cast<std::size_t>(total));
  world.all_gather_v(std::span<const std::byte>(out.bytes()), std::span(all),
                     std::span<const int>(counts));
  std::vector<Record> records;
  for (ByteReader in{all}; !in.ended();) {
    Record record;
    record.position = in.number<std::uint64_t>();
    static_cast<void>(in.number<std::uint8_t>());
    record.bytes = in.array<std::byte>();
    records.push_back(std::move(record));
  }
  std::sort(records.begin(), records.end(),
            [](const Record& a, const Record& b) { return a.position < b.position; });
  return records;
}

void RoundRecords::gather(const comm::Communicator& world, std::span<const Record> finished,
                          std::span<const Record> unfinished) {
  for (Record& record : exchange(world, finished)) {
    Bytes& place = finished_.at(record.position);
    base::require(place.empty() && !record.bytes.empty(), "RoundRecords: a question done twice");
    place = std::move(record.bytes);
    ++done_;
  }
  unfinished_ = exchange(world, unfinished);
}

void RoundRecords::state(store::StateRegistry& registry, const std::string& prefix) {
  stored_.resize(shards_.local());
  stored_bytes_.resize(shards_.local());
  for (auto& each : stored_) each.reset(new std::byte[kShardBytes]);
  registry.sharded<std::uint8_t>(
      prefix, {kShardBytes},
      [this](std::size_t shard) {
        return reinterpret_cast<std::uint8_t*>(stored_[shards_.local_index(shard)].get());
      },
      [this](std::size_t shard) { return stored_bytes_[shards_.local_index(shard)]; });
  registry.replicated(prefix + "_done", &stored_done_);
  registry.on_save([this] { store(); });
  registry.on_load([this] { load(); });
}

void RoundRecords::store() {
  stored_done_ = done_;
  for (const std::size_t shard : shards_.mine) {
    ByteWriter out;
    std::uint64_t count = 0;
    ByteWriter entries;
    for (std::size_t p = shard; p < finished_.size(); p += shards_.shards) {
      if (finished_[p].empty()) continue;
      put(entries, p, kFinished, finished_[p]);
      ++count;
    }
    for (const Record& each : unfinished_) {
      if (each.position % shards_.shards != shard) continue;
      put(entries, each.position, kUnfinished, each.bytes);
      ++count;
    }
    out.number(count);
    Bytes bytes = std::move(out.bytes());
    bytes.insert(bytes.end(), entries.bytes().begin(), entries.bytes().end());
    base::require(bytes.size() <= kShardBytes,
                  "RoundRecords: a shard's records are too large for a checkpoint; use fewer "
                  "--questions or more --virtual-shards");
    const std::size_t local = shards_.local_index(shard);
    std::memcpy(stored_[local].get(), bytes.data(), bytes.size());
    stored_bytes_[local] = bytes.size();
  }
}

// This rank's shards alone: the next gather, which begins every step, brings the others.
void RoundRecords::load() {
  clear();
  loaded_.clear();
  loaded_unfinished_.clear();
  for (const std::size_t shard : shards_.mine) {
    ByteReader in({stored_[shards_.local_index(shard)].get(), kShardBytes});
    for (auto left = in.number<std::uint64_t>(); left > 0; --left) {
      Record record;
      record.position = in.number<std::uint64_t>();
      const auto kind = in.number<std::uint8_t>();
      record.bytes = in.array<std::byte>();
      search::check_state(record.position < finished_.size(), "a question that is none");
      (kind == kFinished ? loaded_ : loaded_unfinished_).push_back(std::move(record));
    }
  }
}

void RoundRecords::share_loaded(const comm::Communicator& world) {
  gather(world, loaded_, loaded_unfinished_);
  loaded_.clear();
  loaded_unfinished_.clear();
  search::check_state(done_ == stored_done_, "questions are missing");
}

}  // namespace tenfold::mcts_dpo
