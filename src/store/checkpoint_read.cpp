#include "store/checkpoint_read.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"
#include "store/checkpoint_layout.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

void misfit(const std::string& reason, std::string hint) {
  throw Error(Code::kCheckpoint, "the checkpoint does not fit this run: " + reason,
              std::move(hint));
}

namespace {

constexpr std::size_t kLongestQuote = 200;

void require_experiment(hid_t group, const std::string& wanted) {
  const char* const key = StateRegistry::kExperiment;
  if (!has_attribute(group, key)) return;
  const std::string stored = read_text(group, key);
  if (stored == wanted) return;
  misfit(fmt::format("it is of another kind of run: {} in the checkpoint, {} here",
                     base::printable(stored), wanted),
         "Give this run a --run-dir of its own, or leave out what makes it another kind");
}

void require_identity(hid_t file, const StateRegistry& registry) {
  const Hid group = open_group(file, "identity");
  const std::string hint =
      "Resume with the options that the run was started with, or start a new run in another folder";
  const auto& wanted = registry.identities();
  if (const auto kind = wanted.find(StateRegistry::kExperiment); kind != wanted.end()) {
    require_experiment(group.get(), kind->second);
  }
  for (const auto& [key, value] : wanted) {
    if (key == StateRegistry::kExperiment) continue;
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

bool is_increment(hid_t dataset) {
  return read_text(dataset, "scope") == "increment";
}

/// Copies rows [first, first + rows) of a ring from one stretch into their slots.
void scatter(const StateField& field, std::size_t shard, std::uint64_t first, std::uint64_t rows,
             const std::byte* from) {
  auto* slots = static_cast<std::byte*>(field.data(shard));
  const std::uint64_t bytes = row_bytes(field), capacity = capacity_rows(field);
  const std::uint64_t slot = first % capacity;
  const std::uint64_t head = std::min(rows, capacity - slot);
  std::memcpy(slots + slot * bytes, from, head * bytes);
  std::memcpy(slots, from + head * bytes, (rows - head) * bytes);
}

}  // namespace

void StateReader::open_rows(StoredField* stored) const {
  const StateField& field = *stored->field;
  const hid_t dataset = stored->dataset.get();
  stored->rows = read_u64s(dataset, "rows", shards_.shards);
  const std::uint64_t most = *std::max_element(stored->rows.begin(), stored->rows.end());
  if (most > capacity_rows(field)) {
    throw Error(Code::kData, "'" + field.name + "' has more rows in use than its shape");
  }
  if (field.written && is_increment(dataset)) {
    stored->first = read_u64s(dataset, "first", shards_.shards);
  }
}

StateReader::StoredField StateReader::open_field(hid_t file, const StateField& field) const {
  StoredField stored;
  stored.field = &field;
  const bool sharded = field.scope == Scope::kSharded;
  stored.dataset = Hid(H5Dopen2(file, ("checkpoint/" + field.name).c_str(), H5P_DEFAULT), &H5Dclose,
                       "open data set", field.name);
  const hid_t dataset = stored.dataset.get();
  require_same("type", field.name, read_text(dataset, "dtype"), dtype_name(field.dtype));
  if (!field.written || !is_increment(dataset)) {
    require_same("scope", field.name, read_text(dataset, "scope"),
                 sharded ? "sharded" : "replicated");
  }
  const Hid attribute(H5Aopen(dataset, "shape", H5P_DEFAULT), &H5Aclose, "open", "shape");
  const Hid space(H5Aget_space(attribute.get()), &H5Sclose, "inspect", "shape");
  const auto axes = check_h5(H5Sget_simple_extent_npoints(space.get()), "inspect", "shape");
  if (axes > H5S_MAX_RANK) throw Error(Code::kData, "'" + field.name + "' has too many axes");
  const auto shape = read_u64s(dataset, "shape", static_cast<std::size_t>(axes));
  require_same("shape", field.name, shape_text(shape), shape_text(field.shape));

  require_plain_storage(dataset, field);
  stored.dims = dimensions(dataset, field.name);
  stored.digests = read_u64s(dataset, "xxh64", sharded ? shards_.shards : 1);
  stored.rows = {capacity_rows(field)};
  auto dims = field.shape;
  if (sharded) {
    open_rows(&stored);
    if (!dims.empty()) dims[0] = *std::max_element(stored.rows.begin(), stored.rows.end());
    dims.insert(dims.begin(), shards_.shards);
  }
  if (stored.dims != dims) {
    throw Error(Code::kData, fmt::format("'{}' has the size {} instead of {}", field.name,
                                         shape_text(stored.dims), shape_text(dims)));
  }
  return stored;
}

/// A ring's rows follow those of the files before: none is missing that would still be in use.
void StateReader::follow(const StoredField& stored, bool newest) {
  const StateField& field = *stored.field;
  const bool increment = !stored.first.empty();
  if (increment != any_) {
    throw Error(
        Code::kData,
        increment ? fmt::format("'{}' holds only new rows, and the checkpoint builds on no "
                                "other",
                                field.name)
                  : fmt::format("'{}' is whole, and the checkpoint builds on others", field.name));
  }
  // A checkpoint that is whole by itself needs no numbers.
  if (newest && !increment) return;
  const std::uint64_t capacity = capacity_rows(field);
  const auto written = read_u64s(stored.dataset.get(), "written", shards_.shards);
  for (std::size_t shard = 0; shard < shards_.shards; ++shard) {
    const std::uint64_t rows = stored.rows[shard];
    bool follows = rows == std::min(written[shard], capacity);
    if (increment) {
      const std::uint64_t before = written_.at(field.name)[shard], first = stored.first[shard];
      follows = written[shard] >= first && written[shard] - first == rows &&
                (first == before || (first > before && rows == capacity));
    }
    if (!follows) {
      throw Error(Code::kData,
                  fmt::format("the rows of '{}' in shard {} do not follow those before them",
                              field.name, shard));
    }
  }
  written_[field.name] = written;
}

void StateReader::read_entry(const StoredField& stored, std::size_t shard,
                             std::size_t entry) const {
  const StateField& field = *stored.field;
  const std::uint64_t bytes = stored.rows[entry] * row_bytes(field);
  if (bytes == 0) return;
  const bool increment = !stored.first.empty();
  std::vector<std::byte> rows(increment ? bytes : 0);
  void* target = increment ? rows.data() : field.data(shard);
  base::require(field.data(shard) != nullptr, "state field '" + field.name + "' has no storage");
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
  if (increment) scatter(field, shard, stored.first[entry], stored.rows[entry], data);
}

void StateReader::read(const fs::path& path, std::uint64_t step, bool newest) {
  const Hid file = open_file(path, H5F_ACC_RDONLY, serial_access(H5F_LIBVER_V18, false));
  check_schema(file.get());
  if (const auto stored = read_integer(open_group(file.get(), "checkpoint").get(), "step");
      stored != static_cast<std::int64_t>(step)) {
    throw Error(Code::kData, fmt::format("state.h5 is of step {}", stored));
  }
  require_identity(file.get(), registry_);
  if (root_) require_known_fields(file.get(), registry_);
  std::vector<StoredField> fields;
  for (const auto& field : registry_.fields()) {
    if (newest ? field.scope == Scope::kReplicated && !root_ : !field.written) continue;
    fields.push_back(open_field(file.get(), field));
    if (field.written) follow(fields.back(), newest);
  }
  for (const auto& stored : fields) {
    if (stored.field->scope == Scope::kReplicated) {
      read_entry(stored, 0, 0);
    } else {
      for (const std::size_t shard : held_shards(*stored.field, shards_.mine)) {
        read_entry(stored, shard, shard);
      }
    }
  }
  any_ = true;
}

}  // namespace tenfold::store
