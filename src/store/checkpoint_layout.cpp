#include "store/checkpoint_layout.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <span>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "store/h5_file.hpp"

namespace tenfold::store {

using base::Code;
using base::Error;

namespace {

std::uint64_t product(std::uint64_t a, std::uint64_t b, const std::string& name) {
  std::uint64_t result = 0;
  base::require(!__builtin_mul_overflow(a, b, &result), "state field '" + name + "' is too large");
  return result;
}

std::string schema_text(const StateRegistry& registry, std::size_t shards) {
  std::string text = fmt::format("{} shards\n", shards);
  for (const auto& field : registry.fields()) {
    text +=
        fmt::format("{} {} {} {} {} {} {}\n", field.name, dtype_name(field.dtype),
                    static_cast<int>(field.scope), fmt::join(field.shape, "x"),
                    field.rows != nullptr, field.written != nullptr, field.held_from != nullptr);
  }
  text += fmt::format("increments {}\n", registry.increments());
  for (const auto& [key, value] : registry.identities()) text += fmt::format("{}={}\n", key, value);
  return text;
}

void require_same_schema(const comm::Communicator& communicator, const StateRegistry& registry,
                         const ShardMap& shards) {
  const std::string text = schema_text(registry, shards.shards);
  const std::uint64_t digest = base::xxh64_of(std::span<const char>(text));
  std::uint64_t bounds[2] = {digest, ~digest};
  communicator.all_reduce(std::span<std::uint64_t>(bounds), comm::Op::kMax);
  base::require(bounds[0] == ~bounds[1],
                "ranks registered different checkpoint fields or identities");
}

bool stored_by_number(const StateRegistry& registry, const StateField& field) {
  return registry.increments() && field.written != nullptr;
}

/// Rows in use, or ever written when that is what counts.
std::vector<std::uint64_t> own_rows(const StateField& field, bool by_number,
                                    const ShardMap& shards) {
  std::vector<std::uint64_t> rows(shards.shards, 0);
  for (const std::size_t shard : held_shards(field, shards.mine)) {
    base::require(shard < shards.shards, "a rank owns a shard that does not exist");
    rows[shard] = by_number ? field.written(shard) : rows_in_use(field, shard);
  }
  return rows;
}

/// [times each shard is owned], and of each sharded field [times its shard is held | holder's rank
/// | own_rows], summed over ranks.
std::vector<std::uint64_t> gather_rows(const comm::Communicator& communicator,
                                       const StateRegistry& registry, const ShardMap& shards) {
  std::vector<std::uint64_t> table(shards.shards, 0);
  communicator.agree([&] {
    for (const std::size_t shard : shards.mine) {
      base::require(shard < shards.shards, "a rank owns a shard that does not exist");
      ++table[shard];
    }
    for (const auto& field : registry.fields()) {
      if (field.scope != Scope::kSharded) continue;
      const auto rows = own_rows(field, stored_by_number(registry, field), shards);
      const std::size_t first = table.size();
      table.resize(first + 2 * shards.shards, 0);
      for (const std::size_t shard : held_shards(field, shards.mine)) {
        ++table[first + shard];
        table[first + shards.shards + shard] = static_cast<std::uint64_t>(communicator.rank());
      }
      table.insert(table.end(), rows.begin(), rows.end());
    }
  });
  communicator.all_reduce(std::span<std::uint64_t>(table), comm::Op::kSum);
  return table;
}

void set_dims(FieldLayout* layout) {
  layout->dims = layout->field->shape;
  if (!layout->sharded()) return;
  if (!layout->dims.empty()) {
    layout->dims[0] = *std::max_element(layout->rows.begin(), layout->rows.end());
  }
  layout->dims.insert(layout->dims.begin(), layout->rows.size());
}

FieldLayout field_layout(const StateField& field, bool by_number,
                         std::span<const std::uint64_t> shard_rows) {
  FieldLayout layout;
  layout.field = &field;
  layout.row_bytes = row_bytes(field);
  if (field.scope == Scope::kReplicated) {
    layout.rows = {capacity_rows(field)};
  } else {
    layout.rows.assign(shard_rows.begin(), shard_rows.end());
  }
  if (by_number) {
    layout.written = layout.rows;
    for (std::uint64_t& rows : layout.rows) rows = std::min(rows, capacity_rows(field));
  }
  set_dims(&layout);
  layout.digests.assign(layout.rows.size(), 0);
  return layout;
}

std::uint64_t digest_entry(const FieldLayout& layout, std::size_t shard, std::size_t entry) {
  const std::uint64_t bytes = layout.bytes(entry);
  if (bytes == 0) return base::xxh64({});
  base::require(layout.field->data(shard) != nullptr,
                "state field '" + layout.field->name + "' has no storage");
  const std::uint64_t head = layout.stretch(entry, 0);
  const std::byte* data = layout.row_data(shard, 0);
  if (head == layout.rows[entry]) return base::xxh64({data, static_cast<std::size_t>(bytes)});
  std::vector<std::byte> joined(data, data + head * layout.row_bytes);
  const std::byte* rest = layout.row_data(shard, head);
  joined.insert(joined.end(), rest, rest + (layout.rows[entry] - head) * layout.row_bytes);
  return base::xxh64(joined);
}

Hid layout_access() {
  Hid access = serial_access(H5F_LIBVER_V18, false);
  // Large data sets start on 1 MiB so that ranks do not share file-system blocks; small ones, and
  // the metadata, stay packed.
  check_h5(H5Pset_alignment(access.get(), 4U << 20, 1U << 20), "prepare", "file access");
  check_h5(H5Pset_meta_block_size(access.get(), 64U << 10), "prepare", "file access");
  return access;
}

/// Space is allocated at once (so that the file has its final size) and never filled: every row in
/// use is written, and the rest of a new file reads as zeros.
Hid dataset_creation() {
  Hid creation(H5Pcreate(H5P_DATASET_CREATE), &H5Pclose, "prepare", "data sets");
  check_h5(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER), "prepare", "data sets");
  check_h5(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY), "prepare", "data sets");
  check_h5(H5Pset_obj_track_times(creation.get(), false), "prepare", "data sets");
  return creation;
}

void create_parents(hid_t group, const std::string& name) {
  const auto slash = name.rfind('/');
  if (slash == std::string::npos) return;
  const std::string parent = name.substr(0, slash);
  if (!path_exists(group, parent)) create_group(group, parent).close(parent);
}

std::string scope_name(const FieldLayout& layout) {
  if (layout.increment()) return "increment";
  return layout.sharded() ? "sharded" : "replicated";
}

void write_dataset(hid_t group, const FieldLayout& layout, const Hid& creation) {
  const StateField& field = *layout.field;
  const Hid space = make_space(layout.dims);
  Hid dataset(H5Dcreate2(group, field.name.c_str(), file_type(field.dtype), space.get(),
                         H5P_DEFAULT, creation.get(), H5P_DEFAULT),
              &H5Dclose, "create data set", field.name);
  write_text(dataset.get(), "dtype", dtype_name(field.dtype));
  write_text(dataset.get(), "scope", scope_name(layout));
  write_u64s(dataset.get(), "shape", field.shape);
  write_u64s(dataset.get(), "xxh64", layout.digests);
  if (layout.sharded()) {
    write_u64s(dataset.get(), "rows", layout.rows);
    if (layout.ring()) write_u64s(dataset.get(), "written", layout.written);
    if (layout.increment()) write_u64s(dataset.get(), "first", layout.first);
  } else if (layout.bytes(0) > 0) {
    check_h5(H5Dwrite(dataset.get(), memory_type(field.dtype), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                      field.data(0)),
             "write data set", field.name);
  }
  dataset.close(field.name);
}

/// A full disk must show here, on one rank, and not in the middle of a collective write. File
/// systems that cannot reserve space (NFS, some FUSE) are let through.
void reserve_space(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
  int failure = descriptor < 0 ? errno : 0;
  if (descriptor >= 0) {
    const off_t bytes = ::lseek(descriptor, 0, SEEK_END);
    if (bytes < 0 || ::fallocate(descriptor, 0, 0, bytes) != 0) failure = errno;
    ::close(descriptor);
  }
  if (failure == EOPNOTSUPP || failure == ENOSYS || failure == EINVAL) return;
  if (failure != 0) {
    throw Error(Code::kIo, fmt::format("cannot reserve disk space: {}", std::strerror(failure)));
  }
}

}  // namespace

std::uint64_t capacity_rows(const StateField& field) {
  return field.shape.empty() ? 1 : field.shape[0];
}

std::uint64_t rows_in_use(const StateField& field, std::size_t shard) {
  const std::uint64_t rows = field.rows ? field.rows(shard) : capacity_rows(field);
  base::require(rows <= capacity_rows(field),
                "state field '" + field.name + "' uses more rows than its shape has");
  return rows;
}

std::uint64_t row_bytes(const StateField& field) {
  std::uint64_t bytes = dtype_size(field.dtype);
  for (std::size_t axis = 1; axis < field.shape.size(); ++axis) {
    bytes = product(bytes, field.shape[axis], field.name);
  }
  product(bytes, capacity_rows(field), field.name);
  return bytes;
}

std::uint64_t FieldLayout::stored_bytes() const {
  return std::accumulate(dims.begin(), dims.end(), std::uint64_t{dtype_size(field->dtype)},
                         [this](auto a, auto b) { return product(a, b, field->name); });
}

std::uint64_t FieldLayout::stretch(std::size_t entry, std::uint64_t row) const {
  const std::uint64_t left = rows[entry] - row;
  if (!increment()) return left;
  const std::uint64_t slots = capacity_rows(*field);
  return std::min(left, slots - (first[entry] + row) % slots);
}

const std::byte* FieldLayout::row_data(std::size_t shard, std::uint64_t row) const {
  std::uint64_t place = row;
  if (increment()) {
    place = field->held_from ? first[shard] + row - field->held_from(shard)
                             : (first[shard] + row) % capacity_rows(*field);
  }
  return static_cast<const std::byte*>(field->data(shard)) + place * row_bytes;
}

void keep_new_rows(const RingCounts& before, StateLayout* layout) {
  layout->bytes = 0;
  for (FieldLayout& field : layout->fields) {
    if (field.ring()) {
      const auto& counts = before.at(field.field->name);
      field.first.resize(field.rows.size());
      for (std::size_t shard = 0; shard < field.rows.size(); ++shard) {
        field.first[shard] = std::max(counts[shard], field.written[shard] - field.rows[shard]);
        field.rows[shard] = field.written[shard] - field.first[shard];
      }
      set_dims(&field);
    }
    layout->bytes += field.stored_bytes();
  }
}

std::uint64_t most_state_bytes(const StateRegistry& registry, std::size_t shards) {
  std::uint64_t bytes = 0;
  for (const StateField& field : registry.fields()) {
    const std::uint64_t parts = field.scope == Scope::kSharded ? shards : 1;
    const std::uint64_t whole =
        product(product(row_bytes(field), capacity_rows(field), field.name), parts, field.name);
    // Large data sets start on 1 MiB; four attributes have a number per shard.
    constexpr std::uint64_t kBeside = 1U << 20;
    base::require(!__builtin_add_overflow(bytes, whole + kBeside + 32 * parts, &bytes),
                  "the state is too large");
  }
  constexpr std::uint64_t kSlack = 64U << 20;
  return bytes > (UINT64_MAX - kSlack) / 2 ? UINT64_MAX : 2 * bytes + kSlack;
}

StateLayout plan_layout(const comm::Communicator& communicator, const StateRegistry& registry,
                        const ShardMap& shards) {
  base::require(shards.shards > 0, "a checkpoint needs at least one virtual shard");
  require_same_schema(communicator, registry, shards);
  const auto table = gather_rows(communicator, registry, shards);
  StateLayout layout;
  layout.shards = shards.shards;
  for (std::size_t shard = 0; shard < shards.shards; ++shard) {
    base::require(table[shard] == 1, "a virtual shard has no owner, or more than one");
  }
  std::size_t next = shards.shards;
  for (const auto& field : registry.fields()) {
    const std::size_t count = field.scope == Scope::kSharded ? shards.shards : 0;
    const auto part = std::span<const std::uint64_t>(table).subspan(next, 3 * count);
    layout.fields.push_back(
        field_layout(field, stored_by_number(registry, field), part.subspan(2 * count)));
    for (std::size_t shard = 0; shard < count; ++shard) {
      base::require(part[shard] == 1,
                    "a shard of '" + field.name + "' has no owner, or more than one");
      layout.fields.back().owner.push_back(static_cast<int>(part[count + shard]));
    }
    layout.bytes += layout.fields.back().stored_bytes();
    next += 3 * count;
  }
  return layout;
}

void digest_state(const comm::Communicator& communicator, const ShardMap& shards, bool copies_count,
                  StateLayout* layout) {
  // Replicated: digest and complement, whose maxima tell whether all ranks agree (0 and 0 from a
  // rank whose copies do not count). Sharded: the
  // owner's digests, zero elsewhere. One reduction for all.
  std::vector<std::uint64_t> table;
  communicator.agree([&] {
    for (const auto& field : layout->fields) {
      if (!field.sharded()) {
        const std::uint64_t digest = copies_count ? digest_entry(field, 0, 0) : 0;
        table.insert(table.end(), {digest, copies_count ? ~digest : 0});
        continue;
      }
      const std::size_t first = table.size();
      table.resize(first + shards.shards, 0);
      for (const std::size_t shard : held_shards(*field.field, shards.mine)) {
        table[first + shard] = digest_entry(field, shard, shard);
      }
    }
  });
  const std::vector<std::uint64_t> mine = table;
  communicator.all_reduce(std::span<std::uint64_t>(table), comm::Op::kMax);
  std::size_t next = 0;
  for (auto& field : layout->fields) {
    if (field.sharded()) {
      std::copy_n(table.begin() + static_cast<std::ptrdiff_t>(next), shards.shards,
                  field.digests.begin());
      next += shards.shards;
      continue;
    }
    if (table[next] != ~table[next + 1] && communicator.is_root()) {
      base::log_warning(
          "replicated state '{}' differs between ranks; the checkpoint holds rank 0's",
          field.field->name);
    }
    field.digests[0] = mine[next];
    next += 2;
  }
}

void write_layout(const std::filesystem::path& file, std::uint64_t step, const StateLayout& layout,
                  const StateRegistry& registry) {
  with_path(file, [&] {
    Hid target = create_file(file, H5F_ACC_TRUNC, layout_access());
    write_schema(target.get());
    Hid identity = create_group(target.get(), "identity");
    for (const auto& [key, value] : registry.identities()) {
      write_long_text(identity.get(), key, value);
    }
    Hid group = create_group(target.get(), "checkpoint");
    write_integer(group.get(), "step", static_cast<std::int64_t>(step));
    write_integer(group.get(), "shards", static_cast<std::int64_t>(layout.shards));
    write_integer(group.get(), "datasets", static_cast<std::int64_t>(layout.fields.size()));
    write_text(group.get(), "layout", "row-major");
    const Hid creation = dataset_creation();
    for (const auto& field : layout.fields) {
      create_parents(group.get(), field.field->name);
      write_dataset(group.get(), field, creation);
    }
    identity.close("/identity");
    group.close("/checkpoint");
    target.close("the file");
    reserve_space(file);
  });
}

}  // namespace tenfold::store
