#include "tenfold/state_file.hpp"

#include <algorithm>
#include <numeric>

#include "base/text.hpp"

namespace tenfold::tool {

using base::Code;
using base::Error;
using store::Hid;

namespace {

store::Dtype dtype_named(const std::string& name, const std::string& tensor) {
  using store::Dtype;
  for (const Dtype each : {Dtype::kFloat32, Dtype::kFloat64, Dtype::kInt32, Dtype::kInt64,
                           Dtype::kUint8, Dtype::kUint32, Dtype::kUint64}) {
    if (store::dtype_name(each) == name) return each;
  }
  throw Error(Code::kData, fmt::format("'{}' has the unknown type '{}'", tensor, name));
}

std::size_t value_count(hid_t object, const std::string& name) {
  const Hid attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), &H5Aclose, "open attribute",
                      name);
  const Hid space(H5Aget_space(attribute.get()), &H5Sclose, "inspect", name);
  const auto count = store::check_h5(H5Sget_simple_extent_npoints(space.get()), "inspect", name);
  return static_cast<std::size_t>(count);
}

std::vector<std::uint64_t> read_list(hid_t object, const std::string& name) {
  return store::read_u64s(object, name, value_count(object, name));
}

void require_consistent(bool holds, const std::string& name, const char* what) {
  if (!holds) throw Error(Code::kData, fmt::format("'{}' contradicts itself: {}", name, what));
}

Hid open_dataset(hid_t group, const std::string& name) {
  return {H5Dopen2(group, name.c_str(), H5P_DEFAULT), &H5Dclose, "open data set", name};
}

}  // namespace

std::uint64_t StoredTensor::elements() const {
  return row_elements * std::accumulate(rows.begin(), rows.end(), std::uint64_t{0});
}

std::string StoredTensor::shape_text() const {
  if (!sharded) return shape.empty() ? "1" : fmt::format("{}", fmt::join(shape, "x"));
  if (shape.empty()) return fmt::format("{}x[1]", rows.size());
  const auto [least, most] = std::minmax_element(rows.begin(), rows.end());
  std::string used = *least == *most ? std::to_string(*most) : fmt::format("{}-{}", *least, *most);
  if (increment()) {
    used += fmt::format(" new of {}", shape[0]);
  } else if (*least != shape[0]) {
    used += fmt::format(" of {}", shape[0]);
  }
  for (std::size_t axis = 1; axis < shape.size(); ++axis) used += fmt::format(", {}", shape[axis]);
  return fmt::format("{}x[{}]", rows.size(), used);
}

StateFile::StateFile(const std::filesystem::path& path) : path_(path) {
  store::with_path(path, [&] {
    file_ = store::open_file(path, H5F_ACC_RDONLY, store::serial_access(H5F_LIBVER_V18, false));
    store::check_schema(file_.get());
    if (!store::path_exists(file_.get(), "checkpoint")) {
      throw Error(Code::kData, "holds no checkpoint");
    }
    group_ = store::open_group(file_.get(), "checkpoint");
    step_ = static_cast<std::uint64_t>(store::read_integer(group_.get(), "step"));
    shards_ = static_cast<std::uint64_t>(store::read_integer(group_.get(), "shards"));
    if (store::path_exists(file_.get(), "identity")) {
      const Hid identity = store::open_group(file_.get(), "identity");
      for (const auto& key : store::attribute_names(identity.get())) {
        identities_[key] = store::read_text(identity.get(), key);
      }
    }
    for (const auto& name : store::dataset_names(group_.get())) {
      tensors_.push_back(describe(name));
    }
  });
}

StoredTensor StateFile::describe(const std::string& name) const {
  const Hid dataset = open_dataset(group_.get(), name);
  StoredTensor tensor;
  tensor.name = name;
  tensor.dtype = dtype_named(store::read_text(dataset.get(), "dtype"), name);
  const std::string scope = store::read_text(dataset.get(), "scope");
  tensor.sharded = scope != "replicated";
  tensor.shape = read_list(dataset.get(), "shape");
  tensor.dims = store::dimensions(dataset.get(), name);
  tensor.digests = read_list(dataset.get(), "xxh64");
  const std::uint64_t capacity = tensor.shape.empty() ? 1 : tensor.shape[0];
  tensor.rows = tensor.sharded ? read_list(dataset.get(), "rows") : std::vector{capacity};
  require_consistent(tensor.digests.size() == tensor.rows.size(), name, "digests and shards");
  if (scope == "increment") {
    tensor.first = read_list(dataset.get(), "first");
    require_consistent(tensor.first.size() == tensor.rows.size(), name, "numbers and shards");
    require_consistent(capacity > 0, name, "a ring without slots");
    for (std::size_t shard = 0; shard < tensor.rows.size(); ++shard) {
      require_consistent(tensor.first[shard] <= UINT64_MAX - tensor.rows[shard], name, "numbers");
    }
  }
  auto dims = tensor.shape;
  if (tensor.sharded) {
    const std::uint64_t most = tensor.rows.empty() ? 0 : *std::ranges::max_element(tensor.rows);
    require_consistent(most <= capacity, name, "more rows in use than it has");
    if (!dims.empty()) dims[0] = most;
    dims.insert(dims.begin(), tensor.rows.size());
  }
  require_consistent(dims == tensor.dims, name, "its shape and the data set's");
  std::uint64_t bytes = store::dtype_size(tensor.dtype);
  for (const std::uint64_t size : tensor.dims) {
    require_consistent(!__builtin_mul_overflow(bytes, size, &bytes), name, "its size");
  }
  // A damaged size must not become an allocation: what is not in the file cannot be read.
  require_consistent(H5Dget_storage_size(dataset.get()) >= bytes, name, "size and storage");
  for (std::size_t axis = 1; axis < tensor.shape.size(); ++axis) {
    tensor.row_elements *= tensor.shape[axis];
  }
  return tensor;
}

const StoredTensor* StateFile::find(const std::string& name) const {
  const auto found = std::ranges::find(tensors_, name, &StoredTensor::name);
  return found == tensors_.end() ? nullptr : &*found;
}

std::vector<std::byte> StateFile::read(const StoredTensor& tensor, std::size_t entry) const {
  std::vector<std::byte> values(tensor.elements(entry) * store::dtype_size(tensor.dtype));
  if (values.empty()) return values;
  store::with_path(path_, [&] {
    const Hid dataset = open_dataset(group_.get(), tensor.name);
    const Hid space(H5Dget_space(dataset.get()), &H5Sclose, "inspect", tensor.name);
    if (tensor.sharded) {
      std::vector<hsize_t> start(tensor.dims.size(), 0);
      std::vector<hsize_t> count(tensor.dims.begin(), tensor.dims.end());
      start[0] = entry;
      count[0] = 1;
      if (count.size() > 1) count[1] = tensor.rows[entry];
      store::check_h5(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr,
                                          count.data(), nullptr),
                      "select in", tensor.name);
    }
    const std::uint64_t count = tensor.elements(entry);
    const Hid flat = store::make_space({&count, 1});
    store::check_h5(H5Dread(dataset.get(), store::memory_type(tensor.dtype), flat.get(),
                            space.get(), H5P_DEFAULT, values.data()),
                    "read", tensor.name);
  });
  return values;
}

StateChain::StateChain(const std::filesystem::path& step_folder,
                       const std::vector<store::CheckpointNeed>& needs) {
  const auto plain = step_folder.has_filename() ? step_folder : step_folder.parent_path();
  for (const store::CheckpointNeed& need : needs) {
    files_.push_back(std::make_unique<StateFile>(
        plain.parent_path() / fmt::format("step-{:012}", need.step) / "state.h5"));
  }
  files_.push_back(std::make_unique<StateFile>(plain / "state.h5"));
}

std::vector<std::uint64_t> StateChain::rows_in_use(const StoredTensor& tensor) const {
  auto rows = tensor.rows;
  if (!tensor.increment()) return rows;
  for (std::size_t shard = 0; shard < rows.size(); ++shard) {
    rows[shard] = std::min(tensor.first[shard] + tensor.rows[shard], tensor.shape[0]);
  }
  return rows;
}

std::vector<std::byte> StateChain::read(const StoredTensor& tensor, std::size_t entry) const {
  if (!tensor.increment()) return newest().read(tensor, entry);
  const std::uint64_t bytes = tensor.row_elements * store::dtype_size(tensor.dtype);
  const std::uint64_t slots = tensor.shape[0];
  std::uint64_t held = 0;
  for (const auto& file : files_) {
    const StoredTensor* part = file->find(tensor.name);
    require_consistent(part != nullptr && part->dtype == tensor.dtype && part->sharded &&
                           part->shape == tensor.shape && part->rows.size() == tensor.rows.size(),
                       tensor.name, "it and what it builds on");
    held += part->rows[entry];
  }
  const std::uint64_t used = rows_in_use(tensor).at(entry);
  require_consistent(used <= held, tensor.name, "rows are missing");
  std::vector<std::byte> ring(used * bytes);
  for (const auto& file : files_) {
    const StoredTensor* part = file->find(tensor.name);
    const auto rows = file->read(*part, entry);
    const std::uint64_t first = part->increment() ? part->first[entry] : 0;
    for (std::uint64_t row = 0; row < part->rows[entry]; ++row) {
      const std::uint64_t slot = (first + row) % slots;
      require_consistent((slot + 1) * bytes <= ring.size(), tensor.name, "its numbers");
      std::copy_n(rows.data() + row * bytes, bytes, ring.data() + slot * bytes);
    }
  }
  return ring;
}

}  // namespace tenfold::tool
