// CheckpointStore::load*: verify first, open after (HDF5 neither notices flipped bytes nor survives
// all of them), fall back only from damage, never from a checkpoint that does not fit.
#include <algorithm>
#include <span>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "store/checkpoint_commit.hpp"
#include "store/checkpoint_layout.hpp"
#include "store/checkpoint_store.hpp"
#include "store/h5_file.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

constexpr std::size_t kBroadcastBytes = 256U << 20;
constexpr std::size_t kLongestQuote = 200;

/// Older checkpoints will not fit either: Code::kCheckpoint, where damage is kData or kIo.
[[noreturn]] void misfit(const std::string& reason, std::string hint) {
  throw Error(Code::kCheckpoint, "the checkpoint does not fit this run: " + reason,
              std::move(hint));
}

bool is_damage(const Error& error) {
  return error.code() == Code::kData || error.code() == Code::kIo;
}

void require_identity(hid_t file, const StateRegistry& registry) {
  const Hid group = open_group(file, "identity");
  const std::string hint =
      "Resume with the options that the run was started with, or start a new run in another folder";
  const auto& wanted = registry.identities();
  for (const auto& [key, value] : wanted) {
    if (!has_attribute(group.get(), key)) {
      misfit(fmt::format("it does not say its {}, this run has '{}'", key, value), hint);
    }
    if (const std::string stored = read_text(group.get(), key); stored != value) {
      misfit(fmt::format("{} is '{}' in the checkpoint and '{}' in this run", key,
                         base::printable(stored), value),
             hint);
    }
  }
  for (const auto& key : attribute_names(group.get())) {
    if (!wanted.contains(key)) {
      misfit(fmt::format("{} is '{}' in the checkpoint, and this run has none", key,
                         base::printable(read_text(group.get(), key))),
             hint);
    }
  }
}

void require_known_fields(hid_t file, const StateRegistry& registry) {
  const Hid group = open_group(file, "checkpoint");
  const auto stored = dataset_names(group.get());
  for (const auto& field : registry.fields()) {
    if (std::find(stored.begin(), stored.end(), field.name) == stored.end()) {
      misfit(fmt::format("it holds no '{}'", field.name), "It is of another version or set-up");
    }
  }
  for (const auto& name : stored) {
    const auto known = [&](const StateField& field) { return field.name == name; };
    if (std::none_of(registry.fields().begin(), registry.fields().end(), known)) {
      misfit(fmt::format("it holds '{}', which this run has not", base::printable(name)),
             "It is of another version or set-up");
    }
  }
}

/// One field as the file has it, checked against what this run registered.
struct StoredField {
  const StateField* field = nullptr;
  Hid dataset;
  std::vector<std::uint64_t> dims;
  std::vector<std::uint64_t> rows;
  std::vector<std::uint64_t> digests;
};

void require_same(const std::string& what, const std::string& name, const std::string& stored,
                  const std::string& wanted) {
  if (stored != wanted) {
    misfit(fmt::format("{} of '{}' is {} in the checkpoint and {} in this run", what, name,
                       base::printable(stored.substr(0, kLongestQuote)), wanted),
           "Resume with the sizes that the run was started with");
  }
}

std::string shape_text(std::span<const std::uint64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

/// Only what write_layout makes: other kinds of storage let a small file ask for any amount of
/// memory (compressed chunks), or name other files.
void require_plain_storage(hid_t dataset, const StateField& field) {
  const Hid creation(H5Dget_create_plist(dataset), &H5Pclose, "inspect", field.name);
  if (H5Pget_layout(creation.get()) != H5D_CONTIGUOUS ||
      H5Pget_external_count(creation.get()) != 0) {
    throw Error(Code::kData, "'" + field.name + "' is not stored as one plain block");
  }
  const Hid type(H5Dget_type(dataset), &H5Tclose, "inspect", field.name);
  if (check_h5(H5Tequal(type.get(), file_type(field.dtype)), "inspect", field.name) == 0) {
    throw Error(Code::kData,
                fmt::format("'{}' is not stored as {}", field.name, dtype_name(field.dtype)));
  }
}

StoredField open_field(hid_t file, const StateField& field, std::size_t shards) {
  StoredField stored;
  stored.field = &field;
  const bool sharded = field.scope == Scope::kSharded;
  stored.dataset = Hid(H5Dopen2(file, ("checkpoint/" + field.name).c_str(), H5P_DEFAULT), &H5Dclose,
                       "open data set", field.name);
  const hid_t dataset = stored.dataset.get();
  require_same("type", field.name, read_text(dataset, "dtype"), dtype_name(field.dtype));
  require_same("scope", field.name, read_text(dataset, "scope"),
               sharded ? "sharded" : "replicated");
  const Hid attribute(H5Aopen(dataset, "shape", H5P_DEFAULT), &H5Aclose, "open", "shape");
  const Hid space(H5Aget_space(attribute.get()), &H5Sclose, "inspect", "shape");
  const auto axes = check_h5(H5Sget_simple_extent_npoints(space.get()), "inspect", "shape");
  if (axes > H5S_MAX_RANK) throw Error(Code::kData, "'" + field.name + "' has too many axes");
  const auto shape = read_u64s(dataset, "shape", static_cast<std::size_t>(axes));
  require_same("shape", field.name, shape_text(shape), shape_text(field.shape));

  require_plain_storage(dataset, field);
  stored.dims = dimensions(dataset, field.name);
  stored.digests = read_u64s(dataset, "xxh64", sharded ? shards : 1);
  stored.rows = {capacity_rows(field)};
  auto dims = field.shape;
  if (sharded) {
    stored.rows = read_u64s(dataset, "rows", shards);
    const std::uint64_t most = *std::max_element(stored.rows.begin(), stored.rows.end());
    if (most > capacity_rows(field)) {
      throw Error(Code::kData, "'" + field.name + "' has more rows in use than its shape");
    }
    if (!dims.empty()) dims[0] = most;
    dims.insert(dims.begin(), shards);
  }
  if (stored.dims != dims) {
    throw Error(Code::kData, fmt::format("'{}' has the size {} instead of {}", field.name,
                                         shape_text(stored.dims), shape_text(dims)));
  }
  return stored;
}

void read_entry(const StoredField& stored, std::size_t shard, std::size_t entry) {
  const StateField& field = *stored.field;
  const std::uint64_t bytes = stored.rows[entry] * row_bytes(field);
  if (bytes == 0) return;
  void* target = field.data(shard);
  base::require(target != nullptr, "state field '" + field.name + "' has no storage");
  const Hid space(H5Dget_space(stored.dataset.get()), &H5Sclose, "inspect", field.name);
  if (field.scope == Scope::kSharded) {
    std::vector<hsize_t> start(stored.dims.size(), 0);
    std::vector<hsize_t> count(stored.dims.begin(), stored.dims.end());
    start[0] = shard;
    count[0] = 1;
    if (count.size() > 1) count[1] = stored.rows[entry];
    check_h5(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                                 nullptr),
             "select in", field.name);
  }
  const std::uint64_t values = bytes / dtype_size(field.dtype);
  const Hid memory = make_space({&values, 1});
  check_h5(H5Dread(stored.dataset.get(), memory_type(field.dtype), memory.get(), space.get(),
                   H5P_DEFAULT, target),
           "read data set", field.name);
  const auto* data = static_cast<const std::byte*>(target);
  if (base::xxh64({data, static_cast<std::size_t>(bytes)}) != stored.digests[entry]) {
    throw Error(Code::kData, field.scope == Scope::kSharded
                                 ? fmt::format("'{}' is damaged in shard {}", field.name, shard)
                                 : fmt::format("'{}' is damaged", field.name));
  }
}

/// What this rank needs: its own shards and, on rank 0, replicated state.
void read_state(const fs::path& path, std::uint64_t step, const StateRegistry& registry,
                const ShardMap& shards, bool root) {
  const Hid file = open_file(path, H5F_ACC_RDONLY, serial_access(H5F_LIBVER_V18, false));
  check_schema(file.get());
  if (const auto stored = read_integer(open_group(file.get(), "checkpoint").get(), "step");
      stored != static_cast<std::int64_t>(step)) {
    throw Error(Code::kData, fmt::format("state.h5 is of step {}", stored));
  }
  require_identity(file.get(), registry);
  if (root) require_known_fields(file.get(), registry);
  std::vector<StoredField> fields;
  for (const auto& field : registry.fields()) {
    if (field.scope == Scope::kReplicated && !root) continue;
    fields.push_back(open_field(file.get(), field, shards.shards));
  }
  for (const auto& stored : fields) {
    if (stored.field->scope == Scope::kReplicated) {
      read_entry(stored, 0, 0);
    } else {
      for (const std::size_t shard : shards.mine) read_entry(stored, shard, shard);
    }
  }
}

void broadcast_replicated(const comm::Communicator& communicator, const StateRegistry& registry) {
  if (communicator.size() == 1) return;
  for (const auto& field : registry.fields()) {
    if (field.scope != Scope::kReplicated) continue;
    const std::size_t bytes = row_bytes(field) * capacity_rows(field);
    auto* data = static_cast<std::byte*>(bytes == 0 ? nullptr : field.data(0));
    for (std::size_t done = 0; done < bytes; done += kBroadcastBytes) {
      communicator.broadcast(
          std::span<std::byte>(data + done, std::min(kBroadcastBytes, bytes - done)));
    }
  }
}

/// The same error, agreed on as it was, that also says which checkpoint it is about.
comm::AgreedError named(const comm::AgreedError& error, const fs::path& folder, Code code) {
  return {Error(code, fmt::format("{}: {}", folder.string(), error.message()), error.hint()),
          error.rank(), error.host()};
}

/// Collective. Throws Code::kCheckpoint for a misfit, Code::kData or Code::kIo for damage.
LoadReport load_folder(const comm::Communicator& communicator, const fs::path& folder,
                       const StateRegistry& registry, const ShardMap& shards) {
  std::string text;
  communicator.agree([&] {
    if (communicator.is_root()) text = commit_text(verify_commit(folder));
  });
  const CommitRecord record = parse_commit(communicator.broadcast_text(text));
  communicator.agree([&] {
    if (record.shards != shards.shards) {
      misfit(fmt::format("it has {} virtual shards, this run has {}", record.shards, shards.shards),
             fmt::format("Resume with --virtual-shards {}", record.shards));
    }
    // On a rank of another node the shared file system may still show an older state.
    require_size(folder, record.bytes);
    read_state(folder / kStateFile, record.step, registry, shards, communicator.is_root());
  });
  broadcast_replicated(communicator, registry);
  return {record.step, folder, record.world_size, record.metadata, {}};
}

}  // namespace

std::optional<LoadReport> CheckpointStore::load_newest(const StateRegistry& registry) {
  const Hdf5Session session;
  std::string names;
  communicator_.agree([&] {
    if (!communicator_.is_root()) return;
    for (const auto& path : commit_candidates(folder_)) names += path.filename().string() + '/';
  });
  std::vector<std::string> refused;
  for (const auto& name : base::split(communicator_.broadcast_text(names), '/')) {
    if (name.empty()) continue;
    std::optional<LoadReport> report;
    try {
      report = load_folder(communicator_, folder_ / name, registry, shards_);
    } catch (const comm::AgreedError& error) {
      if (!is_damage(error)) throw named(error, folder_ / name, error.code());
      refused.push_back(fmt::format("{}: {} (rank {} on {})", base::printable(name),
                                    error.message(), error.rank(), error.host()));
      continue;
    }
    communicator_.agree([&] { registry.after_load(); });
    report->refused = std::move(refused);
    return report;
  }
  if (refused.empty()) return std::nullopt;
  throw comm::AgreedError(Error(Code::kCheckpoint,
                                fmt::format("no checkpoint in {} is usable: {}", folder_.string(),
                                            base::join(refused, "; ")),
                                "Restore one from a backup, or start over in another folder"),
                          0, communicator_.broadcast_text(comm::host_name()));
}

LoadReport CheckpointStore::load(const fs::path& step_folder, const StateRegistry& registry) {
  const Hdf5Session session;
  const fs::path folder = step_folder.has_filename() ? step_folder : step_folder.parent_path();
  LoadReport report;
  try {
    report = load_folder(communicator_, folder, registry, shards_);
  } catch (const comm::AgreedError& error) {
    throw named(error, folder, is_damage(error) ? Code::kCheckpoint : error.code());
  }
  communicator_.agree([&] { registry.after_load(); });
  return report;
}

}  // namespace tenfold::store
