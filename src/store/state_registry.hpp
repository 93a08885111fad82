// What a checkpoint holds: an experiment names its state here once; saving, loading, digests and
// moving to another number of ranks follow from it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace tenfold::store {

enum class Dtype { kFloat32, kFloat64, kInt32, kInt64, kUint8, kUint32, kUint64 };
std::size_t dtype_size(Dtype dtype);
std::string dtype_name(Dtype dtype);

template <class T>
constexpr Dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>) return Dtype::kFloat32;
  if constexpr (std::is_same_v<T, double>) return Dtype::kFloat64;
  if constexpr (std::is_same_v<T, std::int32_t>) return Dtype::kInt32;
  if constexpr (std::is_same_v<T, std::int64_t>) return Dtype::kInt64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return Dtype::kUint8;
  if constexpr (std::is_same_v<T, std::uint32_t>) return Dtype::kUint32;
  if constexpr (std::is_same_v<T, std::uint64_t>) return Dtype::kUint64;
}

/// Replicated state is equal on every rank and stored once. Sharded state belongs to virtual
/// shards: the file holds [shards, rows, ...] and a rank reads and writes the shards that it owns
/// now.
enum class Scope { kReplicated, kSharded };

struct StateField {
  std::string name;  ///< "model/actor/layer0.weight": the data set /checkpoint/<name>
  Dtype dtype = Dtype::kFloat32;
  Scope scope = Scope::kReplicated;
  std::vector<std::uint64_t> shape;  ///< capacity, per shard for sharded fields; {} is one value
  /// Contiguous row-major host storage of a (global) shard number that this rank owns; 0 for
  /// replicated fields.
  std::function<void*(std::size_t shard)> data;
  /// Rows of shape[0] in use, for storage that fills up; null means all.
  std::function<std::uint64_t(std::size_t shard)> rows;
  /// Only for a ring: rows ever written, of which row number i lies in slot i % shape[0].
  std::function<std::uint64_t(std::size_t shard)> written = nullptr;
  /// Only for a copy of a ring's newest rows (StateSnapshot): data holds those from this number on,
  /// in the order of their numbers. null: data holds the slots.
  std::function<std::uint64_t(std::size_t shard)> held_from = nullptr;
  /// Which of the field's shards this rank holds, when other ranks hold them than the shards of the
  /// run (ShardMap): the environments of ranks that only act. Nothing: as the run's.
  std::optional<std::vector<std::size_t>> held = std::nullopt;
};

/// The shards of a field that this rank holds.
inline const std::vector<std::size_t>& held_shards(const StateField& field,
                                                   const std::vector<std::size_t>& mine) {
  return field.held ? *field.held : mine;
}

class StateRegistry {
 public:
  /// Throws Code::kBug on a duplicate name.
  void add(StateField field);
  /// Fields that are added from here on are held so (StateField::held), until the next call.
  void hold(std::optional<std::vector<std::size_t>> shards) { held_ = std::move(shards); }
  /// False on ranks whose copies of replicated state may lag behind: they are not compared, and a
  /// load still brings them up to date. Rank 0's always count: they are what is saved.
  void set_copies_count(bool count) { copies_count_ = count; }
  bool copies_count() const { return copies_count_; }
  template <class T>
  void replicated(std::string name, T* data, std::vector<std::uint64_t> shape = {}) {
    add({std::move(name), dtype_of<T>(), Scope::kReplicated, std::move(shape),
         [data](std::size_t) -> void* { return data; }, nullptr});
  }
  /// data(shard) -> T*.
  template <class T, class Data>
  void sharded(std::string name, std::vector<std::uint64_t> shape, Data data,
               std::function<std::uint64_t(std::size_t)> rows = nullptr) {
    add({std::move(name), dtype_of<T>(), Scope::kSharded, std::move(shape),
         [data](std::size_t shard) -> void* {
           T* pointer = data(shard);
           return pointer;
         },
         std::move(rows)});
  }
  /// Storage that is written round and round: shape[0] slots, of which min(written, shape[0]) are
  /// in use. written(shard) counts every row since the process began and never goes back, except by
  /// loading; after that it is congruent to the slot that comes next.
  template <class T, class Data>
  void ring(std::string name, std::vector<std::uint64_t> shape, Data data,
            std::function<std::uint64_t(std::size_t)> written) {
    const std::uint64_t slots = shape.empty() ? 0 : shape.front();
    StateField field;
    field.name = std::move(name);
    field.dtype = dtype_of<T>();
    field.scope = Scope::kSharded;
    field.shape = std::move(shape);
    field.data = [data](std::size_t shard) -> void* {
      T* pointer = data(shard);
      return pointer;
    };
    field.rows = [slots, written](std::size_t shard) {
      return std::min<std::uint64_t>(written(shard), slots);
    };
    field.written = std::move(written);
    add(std::move(field));
  }
  /// Whether checkpoints may hold only the rows of rings that are new since the one before.
  void set_increments(bool increments) { increments_ = increments; }
  bool increments() const { return increments_; }
  /// Facts that must be equal for a checkpoint to fit at all ("task", "actor_net"): compared first,
  /// so that the message can say which differs.
  void identity(std::string key, std::string value) {
    identity_[std::move(key)] = std::move(value);
  }
  /// The identity "experiment": what kind of run it is, where an application has several
  /// ("learning", "planner"). Compared before all others; a checkpoint that does not say it (of
  /// versions that had none) is compared by the rest.
  void experiment(std::string kind) { identity(kExperiment, std::move(kind)); }
  static constexpr const char* kExperiment = "experiment";
  /// Run before the first byte is read for saving, and after the last is written by loading
  /// (device copies, derived state).
  void on_save(std::function<void()> hook) { save_hooks_.push_back(std::move(hook)); }
  void on_load(std::function<void()> hook) { load_hooks_.push_back(std::move(hook)); }

  const std::vector<StateField>& fields() const { return fields_; }
  const std::map<std::string, std::string>& identities() const { return identity_; }
  void before_save() const;
  void after_load() const;

 private:
  std::vector<StateField> fields_;
  std::map<std::string, std::string> identity_;
  std::vector<std::function<void()>> save_hooks_, load_hooks_;
  bool increments_ = false;
  bool copies_count_ = true;
  std::optional<std::vector<std::size_t>> held_;
};

}  // namespace tenfold::store
