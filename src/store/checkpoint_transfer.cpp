// Shards into state.h5: each rank writes what it owns, in collective transfers over MPI-IO (or
// through the serial driver when there is one rank).
#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <span>

#include "base/error.hpp"
#include "base/file.hpp"
#include "comm/fault.hpp"
#include "store/checkpoint_layout.hpp"
#include "store/h5_file.hpp"

namespace tenfold::store {

using base::Error;

namespace {

/// Below this a rank's rows of a field are copied together and written by one call.
constexpr std::uint64_t kPackBytes = 1U << 20;
/// MPI counts are ints, and ROMIO copies a piece: neither likes whole replay buffers at once.
constexpr std::uint64_t kPieceBytes = 256U << 20;

/// Stored rows [row, row + rows) of one shard, in one stretch of memory.
struct Piece {
  std::size_t shard = 0;
  std::uint64_t row = 0;
  std::uint64_t rows = 0;
};

/// The first failure; the collective calls after it must still be made by every rank.
class Failures {
 public:
  template <class Body>
  void attempt(Body&& body) {
    try {
      body();
    } catch (const Error& error) {
      if (!first_) first_ = error;
    }
  }
  void rethrow() const {
    if (first_) throw Error(*first_);
  }

 private:
  std::optional<Error> first_;
};

std::vector<Piece> pieces_of(const FieldLayout& layout, std::span<const int> owner, int rank) {
  const std::uint64_t most =
      std::max<std::uint64_t>(1, kPieceBytes / std::max<std::uint64_t>(1, layout.row_bytes));
  std::vector<Piece> pieces;
  for (std::size_t shard = 0; shard < owner.size(); ++shard) {
    if (owner[shard] != rank) continue;
    for (std::uint64_t row = 0; row < layout.rows[shard]; row += pieces.back().rows) {
      pieces.push_back({shard, row, std::min(most, layout.stretch(shard, row))});
    }
  }
  return pieces;
}

std::uint64_t total_bytes(const FieldLayout& layout, std::span<const Piece> pieces) {
  return std::accumulate(
      pieces.begin(), pieces.end(), std::uint64_t{0},
      [&](std::uint64_t sum, const Piece& piece) { return sum + piece.rows * layout.row_bytes; });
}

void select(hid_t space, const FieldLayout& layout, const Piece& piece) {
  std::vector<hsize_t> start(layout.dims.size(), 0);
  std::vector<hsize_t> count(layout.dims.begin(), layout.dims.end());
  start[0] = piece.shard;
  count[0] = 1;
  if (count.size() > 1) {
    start[1] = piece.row;
    count[1] = piece.rows;
  }
  check_h5(H5Sselect_hyperslab(space, H5S_SELECT_OR, start.data(), nullptr, count.data(), nullptr),
           "select in", layout.field->name);
}

/// One (collective) write of these pieces, possibly none, from data that holds them in order.
void write_pieces(const Hid& dataset, const FieldLayout& layout, std::span<const Piece> pieces,
                  const std::byte* data, const Hid& transfer) {
  const std::string& name = layout.field->name;
  const Hid space(H5Dget_space(dataset.get()), &H5Sclose, "inspect", name);
  check_h5(H5Sselect_none(space.get()), "select in", name);
  for (const Piece& piece : pieces) select(space.get(), layout, piece);
  const std::uint64_t values =
      std::max<std::uint64_t>(1, total_bytes(layout, pieces) / dtype_size(layout.field->dtype));
  const Hid memory = make_space({&values, 1});
  if (pieces.empty()) check_h5(H5Sselect_none(memory.get()), "select in", name);
  check_h5(H5Dwrite(dataset.get(), memory_type(layout.field->dtype), memory.get(), space.get(),
                    transfer.get(), data),
           "write data set", name);
}

std::vector<std::byte> packed(const FieldLayout& layout, std::span<const Piece> pieces) {
  std::vector<std::byte> bytes;
  bytes.reserve(total_bytes(layout, pieces));
  for (const Piece& piece : pieces) {
    const std::byte* data = layout.row_data(piece.shard, piece.row);
    bytes.insert(bytes.end(), data, data + piece.rows * layout.row_bytes);
  }
  return bytes;
}

void write_field(const Hid& dataset, const FieldLayout& layout, std::span<const int> owner,
                 int rank, int world, const Hid& transfer, Failures* failures) {
  std::uint64_t largest = 0;
  std::size_t rounds = 0;
  for (int other = 0; other < world; ++other) {
    const auto pieces = pieces_of(layout, owner, other);
    largest = std::max(largest, total_bytes(layout, pieces));
    rounds = std::max(rounds, pieces.size());
  }
  const auto mine = pieces_of(layout, owner, rank);
  const std::byte nothing{};
  if (largest <= kPackBytes) {
    const auto bytes = packed(layout, mine);
    failures->attempt([&] {
      write_pieces(dataset, layout, mine, bytes.empty() ? &nothing : bytes.data(), transfer);
    });
    return;
  }
  for (std::size_t round = 0; round < rounds; ++round) {
    const bool has = round < mine.size();
    const auto piece = std::span(mine).subspan(has ? round : 0, has ? 1 : 0);
    const std::byte* data = has ? layout.row_data(mine[round].shard, mine[round].row) : &nothing;
    failures->attempt([&] { write_pieces(dataset, layout, piece, data, transfer); });
  }
}

Hid shard_access(const comm::Communicator& communicator) {
  Hid access = serial_access(H5F_LIBVER_V18, false);
  if (communicator.size() > 1) {
    check_h5(H5Pset_fapl_mpio(access.get(), communicator.raw(), MPI_INFO_NULL), "prepare",
             "parallel file access");
    check_h5(H5Pset_all_coll_metadata_ops(access.get(), true), "prepare", "parallel file access");
    check_h5(H5Pset_coll_metadata_write(access.get(), true), "prepare", "parallel file access");
  }
  return access;
}

Hid shard_transfer(const comm::Communicator& communicator) {
  Hid transfer(H5Pcreate(H5P_DATASET_XFER), &H5Pclose, "prepare", "transfers");
  if (communicator.size() > 1) {
    check_h5(H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE), "prepare", "transfers");
  }
  return transfer;
}

}  // namespace

void write_shards(const comm::Communicator& communicator, const std::filesystem::path& file,
                  const StateLayout& layout) {
  std::vector<const FieldLayout*> fields;
  for (const auto& field : layout.fields) {
    if (field.sharded() && field.stored_bytes() > 0) fields.push_back(&field);
  }
  Failures failures;
  Hid target;
  std::vector<Hid> datasets;
  if (!fields.empty()) {
    communicator.agree([&] {
      with_path(file, [&] {
        target = open_file(file, H5F_ACC_RDWR, shard_access(communicator));
        for (const FieldLayout* field : fields) {
          datasets.emplace_back(
              H5Dopen2(target.get(), ("checkpoint/" + field->field->name).c_str(), H5P_DEFAULT),
              &H5Dclose, "open data set", field->field->name);
        }
      });
    });
    const Hid transfer = shard_transfer(communicator);
    for (std::size_t index = 0; index < fields.size(); ++index) {
      write_field(datasets[index], *fields[index], fields[index]->owner, communicator.rank(),
                  communicator.size(), transfer, &failures);
    }
  }
  failures.attempt([] { comm::fault_point("ckpt.after_write"); });
  for (auto& dataset : datasets) failures.attempt([&] { dataset.close("a data set"); });
  failures.attempt([&] { with_path(file, [&] { target.close("the file"); }); });
  failures.attempt([] { comm::fault_point("ckpt.after_close"); });
  communicator.agree([&] {
    failures.rethrow();
    // Other nodes' caches are not reached by rank 0's fsync.
    if (!communicator.is_root()) base::sync_path(file);
  });
}

}  // namespace tenfold::store
