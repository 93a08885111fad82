// Columns of tables in files that are written once, and files that are wholly there or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "store/h5_file.hpp"

namespace tenfold::store {

// The caller holds an Hdf5Session; all throw Code::kIo naming the object unless they say otherwise.

/// A data set of rows values. compressed: shuffled and deflated in pieces, where this HDF5 can
/// deflate: the same bytes for the same values.
void write_column(hid_t group, const std::string& name, Dtype dtype, std::uint64_t rows,
                  const void* values, bool compressed);
template <class T>
void write_column(hid_t group, const std::string& name, const std::vector<T>& values,
                  bool compressed = false) {
  write_column(group, name, dtype_of<T>(), values.size(), values.data(), compressed);
}

/// A data set of one dimension, read by ranges of rows.
class StoredColumn {
 public:
  /// Throws Code::kData when it is not a column of numbers.
  StoredColumn(hid_t group, const std::string& name);
  std::uint64_t rows() const { return rows_; }
  /// Throws Code::kData when [first, first + count) is not all there, or is more than 2^24 rows: a
  /// damaged file can claim any number.
  template <class T>
  std::vector<T> read(std::uint64_t first, std::uint64_t count) const {
    check_range(first, count);
    std::vector<T> values(count);
    if (count > 0) read_rows(first, count, dtype_of<T>(), values.data());
    return values;
  }
  template <class T>
  std::vector<T> read() const {
    return read<T>(0, rows_);
  }

 private:
  void check_range(std::uint64_t first, std::uint64_t count) const;
  void read_rows(std::uint64_t first, std::uint64_t count, Dtype dtype, void* values) const;

  std::string name_;
  Hid dataset_;
  std::uint64_t rows_ = 0;
};

/// write makes the file path.tmp, which is then synced and takes the name path: a reader sees the
/// old file or the new one, and a failure leaves the old one.
void replace_file(const std::filesystem::path& path,
                  const std::function<void(const std::filesystem::path& temporary)>& write);

}  // namespace tenfold::store
