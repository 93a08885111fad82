#include "store/local_checkpoints.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "store/checkpoint_commit.hpp"
#include "store/local_record.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

/// A write in the middle of which a rank was killed must leave a whole one on every rank: ranks are
/// at most one checkpoint apart.
constexpr std::int64_t kKept = 2;
constexpr std::size_t kRanksNamed = 3;

/// A record that cannot be read makes another mark than its text did: parts that name it stay
/// unused.
std::string commit_mark(const fs::path& step_folder) {
  const std::string name = step_folder.filename().string();
  try {
    return name + " " + base::sha256_file(step_folder / kCommitFile);
  } catch (const Error& error) {
    base::log_warning("node-local checkpoints that build on {} are not usable: {}", name,
                      error.message());
    return name + " unreadable";
  }
}

template <class Result>
std::function<Result(std::size_t)> by_own_number(const std::function<Result(std::size_t)>& of_shard,
                                                 const std::vector<std::size_t>& mine) {
  if (!of_shard) return nullptr;
  return [of_shard, mine](std::size_t i) { return of_shard(mine.at(i)); };
}

/// The registry of one rank's part: its shards, numbered from 0. Always whole: increments end with
/// every shared checkpoint, which removes what they would build on.
StateRegistry own_part(const StateRegistry& whole, const std::vector<std::size_t>& mine,
                       const std::map<std::string, std::string>& marks) {
  StateRegistry part;
  for (const auto& [key, value] : whole.identities()) part.identity(key, value);
  for (const auto& [key, value] : marks) part.identity(key, value);
  for (const StateField& field : whole.fields()) {
    StateField renumbered = field;
    if (field.scope == Scope::kSharded) {
      renumbered.data = by_own_number(field.data, mine);
      renumbered.rows = by_own_number(field.rows, mine);
      renumbered.written = by_own_number(field.written, mine);
      renumbered.held_from = by_own_number(field.held_from, mine);
    }
    part.add(std::move(renumbered));
  }
  part.on_save([&whole] { whole.before_save(); });
  part.on_load([&whole] { whole.after_load(); });
  return part;
}

void remove_or_warn(const fs::path& path) noexcept {
  std::error_code failure;
  fs::remove_all(path, failure);
  std::error_code ignored;
  if (failure && fs::exists(path, ignored)) {
    base::log_warning("cannot remove {}: {}", path.string(), failure.message());
  }
}

/// The record first: without it the rest is no checkpoint, wherever this is cut short.
void remove_step(const fs::path& path) noexcept {
  std::error_code ignored;
  fs::remove(path / kCommitFile, ignored);
  remove_or_warn(path);
}

/// "rank 1 (node7)", at most a few of them.
std::string name_ranks(const std::vector<std::size_t>& ranks,
                       const std::vector<std::string>& hosts) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ranks.size(), kRanksNamed); ++i) {
    text += fmt::format("{}rank {} ({})", i == 0 ? "" : ", ", ranks[i], hosts[ranks[i]]);
  }
  if (ranks.size() > kRanksNamed) text += fmt::format(" and {} more", ranks.size() - kRanksNamed);
  return text;
}

/// Of the steps that each rank holds: those of all, and what to say of the others.
LocalOffer agree_on(const std::vector<std::set<std::uint64_t>>& held,
                    const std::vector<std::string>& hosts) {
  std::set<std::uint64_t> any;
  for (const auto& steps : held) any.insert(steps.begin(), steps.end());
  LocalOffer offer;
  for (auto step = any.rbegin(); step != any.rend(); ++step) {
    std::vector<std::size_t> without;
    for (std::size_t rank = 0; rank < held.size(); ++rank) {
      if (!held[rank].contains(*step)) without.push_back(rank);
    }
    if (without.empty()) {
      offer.steps.push_back(*step);
    } else if (offer.steps.empty() && !offer.lost) {
      offer.missing =
          fmt::format("{} is missing on {}", step_name(*step), name_ranks(without, hosts));
      offer.lost = true;
    }
  }
  return offer;
}

std::set<std::uint64_t> steps_of(const std::string& text) {
  std::set<std::uint64_t> steps;
  for (const std::string& word : base::split(text, ' ')) {
    if (const auto step = step_of_name(word)) steps.insert(*step);
  }
  return steps;
}

}  // namespace

namespace {

// No reason to end: the shared level stands behind it.
void warn_if_missing(const comm::Communicator& world, const fs::path& folder) {
  try {
    world.agree([&] {
      std::error_code ignored;
      if (fs::is_directory(folder, ignored)) return;
      throw Error(Code::kIo, fmt::format("{} is not a folder", folder.string()));
    });
  } catch (const comm::AgreedError& error) {
    if (!world.is_root()) return;
    base::log_warning(
        "--checkpoint-local: {} (rank {} on {}): nothing is written there until it is",
        error.message(), error.rank(), error.host());
  }
}

}  // namespace

LocalCheckpoints::LocalCheckpoints(const comm::Communicator& world, const fs::path& folder,
                                   fs::path shared_folder, ShardMap shards)
    : world_(world.duplicate()),
      node_(world_.node()),
      self_(comm::Communicator::self().duplicate()),
      folder_(fs::absolute(folder / ".").lexically_normal().parent_path()),
      shared_folder_(std::move(shared_folder)),
      shards_(std::move(shards)) {
  std::sort(shards_.mine.begin(), shards_.mine.end());
  std::string shared;
  world_.agree([&] {
    if (!world_.is_root()) return;
    read_record();
    const auto steps = list_checkpoints(shared_folder_);
    newest_shared_ = steps.empty() ? "none" : commit_mark(steps.front());
  });
  id_ = world_.broadcast_text(id_);
  note_ = world_.broadcast_text(note_);
  old_tree_ = world_.broadcast_text(old_tree_.string());
  newest_shared_ = world_.broadcast_text(newest_shared_);
  shared_step_ = step_of_name(newest_shared_.substr(0, newest_shared_.find(' ')));
  if (!id_.empty()) open_store();
  warn_if_missing(world_, folder_);
}

void LocalCheckpoints::read_record() {
  try {
    const auto record = read_local_record(shared_folder_);
    if (!record) return;
    if (record->run != canonical_path(shared_folder_)) {
      note_ = fmt::format("the run was moved or copied from {}: what is in {} is not used",
                          record->run.string(), record->tree().string());
      return;
    }
    old_tree_ = record->tree();
    if (record->folder == folder_) {
      id_ = record->id;
    } else {
      note_ = fmt::format("they were kept in {} before", record->folder.string());
    }
  } catch (const Error& error) {
    note_ = error.message();
  }
}

fs::path LocalCheckpoints::own_folder() const {
  return tree_ / fmt::format("rank-{}-of-{}", world_.rank(), world_.size());
}

void LocalCheckpoints::open_store() {
  tree_ = LocalRecord{id_, {}, folder_}.tree();
  ShardMap numbered{shards_.mine.size(), std::vector<std::size_t>(shards_.mine.size())};
  std::iota(numbered.mine.begin(), numbered.mine.end(), std::size_t{0});
  store_.emplace(self_, own_folder(), std::move(numbered), RetentionPolicy{.keep_last = kKept});
}

std::map<std::string, std::string> LocalCheckpoints::marks() const {
  return {{"local.run", id_},
          {"local.rank", fmt::format("{} of {}", world_.rank(), world_.size())},
          {"local.shards", fmt::format("{} of {}", fmt::join(shards_.mine, " "), shards_.shards)},
          {"local.shared", newest_shared_}};
}

/// "STEPS|HOST|NOTE" of this rank: the steps in its folder that are newer than the shared level.
std::string LocalCheckpoints::own_report() const {
  std::string steps;
  std::string note;
  try {
    for (const fs::path& path : list_checkpoints(own_folder())) {
      const auto step = step_of_name(path.filename().string());
      if (step && (!shared_step_ || *step > *shared_step_)) steps += step_name(*step) + " ";
    }
  } catch (const Error& error) {
    note = error.message();
  }
  const std::string wanted = fmt::format("-of-{}", world_.size());
  std::error_code failure;
  for (fs::directory_iterator it(tree_, failure), end; !failure && it != end;
       it.increment(failure)) {
    const std::string name = it->path().filename().string();
    const auto world = name.rfind("-of-");
    if (note.empty() && world != std::string::npos && !name.ends_with(wanted)) {
      note = fmt::format("they are of {} ranks, this run has {}",
                         base::printable(name.substr(world + 4)), world_.size());
    }
  }
  return fmt::format("{}|{}|{}", steps, comm::host_name(), note);
}

LocalOffer LocalCheckpoints::offer() {
  if (id_.empty()) return {{}, note_, !note_.empty()};
  const auto reports = world_.gather_texts(own_report());
  LocalOffer offer;
  std::string steps;
  if (world_.is_root()) {
    std::vector<std::set<std::uint64_t>> held;
    std::vector<std::string> hosts;
    std::string note;
    for (const std::string& report : reports) {
      const auto parts = base::split(report, '|');
      held.push_back(steps_of(parts.at(0)));
      hosts.push_back(parts.at(1));
      if (note.empty()) note = parts.at(2);
    }
    offer = agree_on(held, hosts);
    if (offer.steps.empty() && !offer.lost) {
      offer.missing =
          note.empty() ? fmt::format("{} holds none that is newer", folder_.string()) : note;
      offer.lost = !note.empty();
    }
    for (const std::uint64_t step : offer.steps) steps += step_name(step) + " ";
  }
  const auto agreed = steps_of(world_.broadcast_text(steps));
  offer.steps.assign(agreed.rbegin(), agreed.rend());
  offer.missing = world_.broadcast_text(offer.missing);
  offer.lost = world_.broadcast_text(offer.lost ? "lost" : "") == "lost";
  return offer;
}

void LocalCheckpoints::verify(std::uint64_t step) const {
  world_.agree([&] {
    const fs::path path = own_folder() / step_name(step);
    const CommitRecord record = verify_checkpoint(path);
    for (const auto& [key, wanted] : marks()) {
      const auto stored = record.metadata.find(key);
      const std::string value = stored == record.metadata.end() ? "" : stored->second;
      if (value == wanted) continue;
      throw Error(Code::kCheckpoint,
                  fmt::format("{}: {} is '{}' in the checkpoint and '{}' in this run",
                              path.string(), key, base::printable(value), wanted));
    }
  });
}

LoadReport LocalCheckpoints::load(std::uint64_t step, const StateRegistry& registry) {
  LoadReport report;
  world_.agree([&] {
    report =
        store_->load(own_folder() / step_name(step), own_part(registry, shards_.mine, marks()));
  });
  report.world_size = world_.size();
  return report;
}

void LocalCheckpoints::go_on_from(std::uint64_t step) {
  world_.agree([&] {
    for (const fs::path& path : list_checkpoints(own_folder())) {
      const auto found = step_of_name(path.filename().string());
      if (found && *found > step) remove_step(path);
    }
  });
  open_store();
}

void LocalCheckpoints::start_anew() {
  std::string id;
  world_.agree([&] {
    if (world_.is_root()) id = write_local_record(shared_folder_, folder_).id;
  });
  id_ = world_.broadcast_text(id);
  note_.clear();
  // Only now: until the new id is there, the old parts are what a killed start would look for.
  if (node_.is_root() && !old_tree_.empty()) remove_or_warn(old_tree_);
  open_store();
  old_tree_ = tree_;
}

SaveReport LocalCheckpoints::save(std::uint64_t step, const StateRegistry& registry,
                                  std::map<std::string, std::string> metadata) {
  base::require(store_.has_value(), "LocalCheckpoints::save before the run knows where it starts");
  std::error_code ignored;
  if (!fs::is_directory(folder_, ignored)) {
    throw Error(Code::kIo, fmt::format("{} is not a folder on this node", folder_.string()),
                "Make it on every node, or choose another with --checkpoint-local");
  }
  const auto own = marks();
  metadata.insert(own.begin(), own.end());
  return store_->save(step, own_part(registry, shards_.mine, own), metadata);
}

void LocalCheckpoints::withdraw(std::uint64_t step) noexcept {
  remove_step(own_folder() / step_name(step));
}

void LocalCheckpoints::superseded() noexcept {
  try {
    for (const fs::path& path : list_checkpoints(own_folder())) remove_step(path);
  } catch (const Error& error) {
    base::log_warning("old node-local checkpoints stay: {}", error.message());
  }
  remove_or_warn(own_folder());
  open_store();
}

void LocalCheckpoints::rebase(const fs::path& shared_step) {
  const std::string mark = world_.is_root() ? commit_mark(shared_step) : "";
  newest_shared_ = world_.broadcast_text(mark);
  shared_step_ = step_of_name(shared_step.filename().string());
}

void LocalCheckpoints::finish() {
  if (world_.is_root()) {
    try {
      remove_local_record(shared_folder_);
    } catch (const Error& error) {
      base::log_warning("{}", error.message());
    }
  }
  world_.barrier();
  if (node_.is_root()) remove_or_warn(tree_);
}

void abandon_local_checkpoints(const comm::Communicator& world, const fs::path& shared_folder) {
  std::string tree;
  world.agree([&] {
    if (!world.is_root()) return;
    std::optional<LocalRecord> record;
    try {
      record = read_local_record(shared_folder);
      if (!record) return;
      const bool ours = record->run == canonical_path(shared_folder);
      base::log_warning("node-local checkpoints are off now: {} in {}",
                        ours ? "removing those" : "leaving those of a run that was copied or moved",
                        record->tree().string());
      if (ours) tree = record->tree().string();
    } catch (const Error& error) {
      base::log_warning("node-local checkpoints of earlier starts are lost: {}", error.message());
    }
    remove_local_record(shared_folder);
  });
  tree = world.broadcast_text(tree);
  if (!tree.empty() && world.node().is_root()) remove_or_warn(tree);
}

}  // namespace tenfold::store
