#include "store/h5_table.hpp"

#include <algorithm>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

constexpr std::uint64_t kChunkRows = 1U << 14;
constexpr std::uint64_t kMostRows = 1U << 24;
constexpr unsigned kDeflateLevel = 4;

Hid creation_of(std::uint64_t rows, bool compressed) {
  Hid creation(H5Pcreate(H5P_DATASET_CREATE), &H5Pclose, "prepare", "data sets");
  check_h5(H5Pset_obj_track_times(creation.get(), false), "prepare", "data sets");
  if (!compressed || rows == 0 || H5Zfilter_avail(H5Z_FILTER_DEFLATE) <= 0) return creation;
  const hsize_t chunk = std::min(rows, kChunkRows);
  check_h5(H5Pset_chunk(creation.get(), 1, &chunk), "prepare", "data sets");
  check_h5(H5Pset_shuffle(creation.get()), "prepare", "data sets");
  check_h5(H5Pset_deflate(creation.get(), kDeflateLevel), "prepare", "data sets");
  return creation;
}

}  // namespace

void write_column(hid_t group, const std::string& name, Dtype dtype, std::uint64_t rows,
                  const void* values, bool compressed) {
  const Hid space = make_space({&rows, 1});
  const Hid creation = creation_of(rows, compressed);
  Hid dataset(H5Dcreate2(group, name.c_str(), file_type(dtype), space.get(), H5P_DEFAULT,
                         creation.get(), H5P_DEFAULT),
              &H5Dclose, "create data set", name);
  if (rows > 0) {
    check_h5(H5Dwrite(dataset.get(), memory_type(dtype), H5S_ALL, H5S_ALL, H5P_DEFAULT, values),
             "write", name);
  }
  dataset.close(name);
}

StoredColumn::StoredColumn(hid_t group, const std::string& name)
    : name_(name),
      dataset_(H5Dopen2(group, name.c_str(), H5P_DEFAULT), &H5Dclose, "open data set", name) {
  const Hid type(H5Dget_type(dataset_.get()), &H5Tclose, "inspect", name);
  const H5T_class_t kind = H5Tget_class(type.get());
  const auto dims = dimensions(dataset_.get(), name);
  if (dims.size() != 1 || (kind != H5T_INTEGER && kind != H5T_FLOAT)) {
    throw Error(Code::kData, fmt::format("'{}' is not a column of numbers", name));
  }
  rows_ = dims[0];
}

void StoredColumn::check_range(std::uint64_t first, std::uint64_t count) const {
  if (count > kMostRows || first > rows_ || count > rows_ - first) {
    throw Error(Code::kData, fmt::format("'{}' has no rows {} to {} that can be read: it has {}",
                                         name_, first, first + count, rows_));
  }
}

void StoredColumn::read_rows(std::uint64_t first, std::uint64_t count, Dtype dtype,
                             void* values) const {
  const hsize_t start = first;
  const hsize_t size = count;
  const Hid space(H5Dget_space(dataset_.get()), &H5Sclose, "inspect", name_);
  check_h5(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &size, nullptr),
           "select in", name_);
  const Hid memory = make_space({&count, 1});
  check_h5(
      H5Dread(dataset_.get(), memory_type(dtype), memory.get(), space.get(), H5P_DEFAULT, values),
      "read", name_);
}

void replace_file(const fs::path& path, const std::function<void(const fs::path&)>& write) {
  fs::path temporary = path;
  temporary += ".tmp";
  try {
    with_path(temporary, [&] { write(temporary); });
    base::sync_path(temporary);
    std::error_code failure;
    fs::rename(temporary, path, failure);
    if (failure) {
      throw Error(Code::kIo, fmt::format("cannot rename {} to {}: {}", temporary.string(),
                                         path.string(), failure.message()));
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
  const fs::path folder = path.parent_path();
  base::sync_path(folder.empty() ? "." : folder);
}

}  // namespace tenfold::store
