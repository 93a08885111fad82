// Reads state.h5 of a checkpoint: every tensor that it holds, whatever application wrote it, and,
// where it holds only new rows of rings, those before them. docs/schema.md has the layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/h5_file.hpp"
#include "store/ring_chain.hpp"
#include "store/state_registry.hpp"

namespace tenfold::tool {

/// One data set below /checkpoint.
struct StoredTensor {
  std::string name;
  store::Dtype dtype = store::Dtype::kFloat32;
  bool sharded = false;                ///< also when it is an increment
  std::vector<std::uint64_t> shape;    ///< of the tensor, or of one shard's part at its capacity
  std::vector<std::uint64_t> dims;     ///< of the data set; sharded: [shards, rows, ...]
  std::vector<std::uint64_t> rows;     ///< in use: per shard, or one entry when replicated
  std::vector<std::uint64_t> digests;  ///< recorded xxh64, indexed as rows
  /// Increments: number of the first row here, per shard; row number i belongs to slot i %
  /// shape[0].
  std::vector<std::uint64_t> first;
  std::uint64_t row_elements = 1;
  bool increment() const { return !first.empty(); }

  std::uint64_t elements(std::size_t entry) const { return rows[entry] * row_elements; }
  std::uint64_t elements() const;  ///< in use, over all entries
  /// "16x5"; "8x[200 of 2000, 5]" when sharded; "8x[50 new of 2000, 5]" for an increment; "1" for
  /// one value.
  std::string shape_text() const;
};

class StateFile {
 public:
  /// Throws Code::kData (not a checkpoint's file, layout that contradicts itself) or Code::kIo.
  explicit StateFile(const std::filesystem::path& path);

  std::uint64_t step() const { return step_; }
  std::uint64_t shards() const { return shards_; }
  const std::map<std::string, std::string>& identities() const { return identities_; }
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  const StoredTensor* find(const std::string& name) const;

  /// The stored rows of one shard (0 when replicated), row-major, in the machine's byte order.
  std::vector<std::byte> read(const StoredTensor& tensor, std::size_t entry) const;

 private:
  StoredTensor describe(const std::string& name) const;

  store::Hdf5Session session_;
  std::filesystem::path path_;
  store::Hid file_, group_;
  std::uint64_t step_ = 0, shards_ = 0;
  std::map<std::string, std::string> identities_;
  std::vector<StoredTensor> tensors_;
};

/// A whole checkpoint: its file and those that it builds on.
class StateChain {
 public:
  /// needs: of its commit record, which was verified (store::verify_checkpoint): digests are not
  /// looked at here. Throws Code::kData or Code::kIo.
  StateChain(const std::filesystem::path& step_folder,
             const std::vector<store::CheckpointNeed>& needs);

  const StateFile& newest() const { return *files_.back(); }
  /// Rows in use of a tensor of newest(), with what earlier files hold.
  std::vector<std::uint64_t> rows_in_use(const StoredTensor& tensor) const;
  /// Those of one shard, by slot.
  std::vector<std::byte> read(const StoredTensor& tensor, std::size_t entry) const;

 private:
  std::vector<std::unique_ptr<StateFile>> files_;  ///< oldest first
};

/// Calls body(std::span<const T>) with the type that dtype names.
template <class Body>
void visit_values(store::Dtype dtype, std::span<const std::byte> bytes, Body&& body) {
  const auto as = [&]<class T>(T) {
    body(std::span<const T>(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)));
  };
  switch (dtype) {
    case store::Dtype::kFloat32:
      return as(float{});
    case store::Dtype::kFloat64:
      return as(double{});
    case store::Dtype::kInt32:
      return as(std::int32_t{});
    case store::Dtype::kInt64:
      return as(std::int64_t{});
    case store::Dtype::kUint8:
      return as(std::uint8_t{});
    case store::Dtype::kUint32:
      return as(std::uint32_t{});
    case store::Dtype::kUint64:
      return as(std::uint64_t{});
  }
}

}  // namespace tenfold::tool
