#include "store/h5_file.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::store {

using base::Code;
using base::Error;

namespace {

constexpr std::size_t kLongestText = 16U << 20;
constexpr int kDeepest = 16;
constexpr std::size_t kMostObjects = 1U << 16;

std::string attribute_label(const std::string& name) {
  return "attribute '" + name + "'";
}

Hid open_attribute(hid_t object, const std::string& name) {
  return {H5Aopen(object, name.c_str(), H5P_DEFAULT), &H5Aclose, "open", attribute_label(name)};
}

void write_attribute(hid_t object, const std::string& name, hid_t stored, hid_t memory,
                     const Hid& space, const void* values) {
  const std::string label = attribute_label(name);
  Hid attribute(H5Acreate2(object, name.c_str(), stored, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                &H5Aclose, "create", label);
  check_h5(H5Awrite(attribute.get(), memory, values), "write", label);
  attribute.close(label);
}

std::size_t value_count(const Hid& attribute, const std::string& name) {
  const Hid space(H5Aget_space(attribute.get()), &H5Sclose, "inspect", attribute_label(name));
  return static_cast<std::size_t>(
      check_h5(H5Sget_simple_extent_npoints(space.get()), "inspect", attribute_label(name)));
}

std::string read_fixed_text(const Hid& attribute, const Hid& type, const std::string& name) {
  const std::size_t size = H5Tget_size(type.get());
  if (size == 0 || size > kLongestText) {
    throw Error(Code::kData, fmt::format("attribute '{}' has an impossible length", name));
  }
  std::string text(size, '\0');
  check_h5(H5Aread(attribute.get(), type.get(), text.data()), "read", attribute_label(name));
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

std::string read_variable_text(const Hid& attribute, const Hid& type, const std::string& name) {
  char* raw = nullptr;
  check_h5(H5Aread(attribute.get(), type.get(), &raw), "read", attribute_label(name));
  std::string text = raw == nullptr ? std::string{} : std::string(raw);
  H5free_memory(raw);
  return text;
}

/// Times of objects off: a file is a function of what it holds, whoever writes it and when.
Hid timeless(hid_t kind) {
  Hid creation(H5Pcreate(kind), &H5Pclose, "prepare", "creation");
  check_h5(H5Pset_obj_track_times(creation.get(), false), "prepare", "creation");
  return creation;
}

herr_t collect_name(hid_t, const char* name, const H5A_info_t*, void* into) {
  static_cast<std::vector<std::string>*>(into)->emplace_back(name);
  return 0;
}

herr_t collect_link(hid_t, const char* name, const H5L_info_t*, void* into) {
  static_cast<std::vector<std::string>*>(into)->emplace_back(name);
  return 0;
}

/// H5Ovisit takes quadratic time on deep trees and more than that on groups that hold themselves.
void collect_datasets(hid_t group, const std::string& prefix, int depth,
                      std::vector<std::string>* names, std::size_t* seen) {
  for (const auto& name : child_names(group)) {
    if (depth == 0 || ++*seen > kMostObjects) {
      throw Error(Code::kData, "its groups are nested too deeply or hold too much");
    }
    H5L_info_t link;
    check_h5(H5Lget_info(group, name.c_str(), &link, H5P_DEFAULT), "inspect", "a link");
    if (link.type != H5L_TYPE_HARD) continue;
    const Hid object(H5Oopen(group, name.c_str(), H5P_DEFAULT), &H5Oclose, "open", "an object");
    const H5I_type_t type = H5Iget_type(object.get());
    if (type == H5I_DATASET) names->push_back(prefix + name);
    if (type == H5I_GROUP)
      collect_datasets(object.get(), prefix + name + '/', depth - 1, names, seen);
  }
}

}  // namespace

Hid serial_access(H5F_libver_t low, bool locking) {
  Hid access(H5Pcreate(H5P_FILE_ACCESS), &H5Pclose, "prepare", "file access");
  check_h5(H5Pset_libver_bounds(access.get(), low, H5F_LIBVER_LATEST), "prepare", "file access");
  check_h5(H5Pset_file_locking(access.get(), locking, true), "prepare", "file access");
  // An SWMR reader tries again when metadata does not have its checksum: a writer may be at it. The
  // pause doubles each time, so HDF5's own 100 attempts on a damaged file never end; 25 take 40 ms.
  check_h5(H5Pset_metadata_read_attempts(access.get(), 25), "prepare", "file access");
  return access;
}

Hid create_file(const std::filesystem::path& path, unsigned flags, const Hid& access) {
  const Hid creation = timeless(H5P_FILE_CREATE);
  return {H5Fcreate(path.c_str(), flags, creation.get(), access.get()), &H5Fclose, "create",
          "the file"};
}

Hid open_file(const std::filesystem::path& path, unsigned flags, const Hid& access) {
  return {H5Fopen(path.c_str(), flags, access.get()), &H5Fclose, "open", "the file"};
}

Hid create_group(hid_t parent, const std::string& name) {
  const Hid creation = timeless(H5P_GROUP_CREATE);
  if (const auto slash = name.rfind('/'); slash != std::string::npos) {
    const std::string above = name.substr(0, slash);
    if (!path_exists(parent, above)) create_group(parent, above).close(above);
  }
  return {H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), &H5Gclose,
          "create group", name};
}

bool path_exists(hid_t parent, const std::string& name) {
  // HDF5 calls a question about a/b an error when there is no a.
  const auto slash = name.rfind('/');
  if (slash != std::string::npos && !path_exists(parent, name.substr(0, slash))) return false;
  return check_h5(H5Lexists(parent, name.c_str(), H5P_DEFAULT), "look for", name) > 0;
}

Hid open_group(hid_t parent, const std::string& name) {
  return {H5Gopen2(parent, name.c_str(), H5P_DEFAULT), &H5Gclose, "open group", name};
}

Hid make_space(std::span<const std::uint64_t> dims, std::span<const std::uint64_t> maximum) {
  if (dims.empty()) return {H5Screate(H5S_SCALAR), &H5Sclose, "prepare", "a data space"};
  const std::vector<hsize_t> size(dims.begin(), dims.end());
  const std::vector<hsize_t> limit(maximum.begin(), maximum.end());
  return {H5Screate_simple(static_cast<int>(size.size()), size.data(),
                           limit.empty() ? nullptr : limit.data()),
          &H5Sclose, "prepare", "a data space"};
}

Hid text_type(std::size_t bytes) {
  Hid type(H5Tcopy(H5T_C_S1), &H5Tclose, "prepare", "a text type");
  check_h5(H5Tset_size(type.get(), std::max<std::size_t>(bytes, 1)), "prepare", "a text type");
  check_h5(H5Tset_cset(type.get(), H5T_CSET_UTF8), "prepare", "a text type");
  check_h5(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "prepare", "a text type");
  return type;
}

hid_t file_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return H5T_IEEE_F32LE;
    case Dtype::kFloat64:
      return H5T_IEEE_F64LE;
    case Dtype::kInt32:
      return H5T_STD_I32LE;
    case Dtype::kInt64:
      return H5T_STD_I64LE;
    case Dtype::kUint8:
      return H5T_STD_U8LE;
    case Dtype::kUint32:
      return H5T_STD_U32LE;
    case Dtype::kUint64:
      return H5T_STD_U64LE;
  }
  throw Error(Code::kBug, "unknown dtype");
}

hid_t memory_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return H5T_NATIVE_FLOAT;
    case Dtype::kFloat64:
      return H5T_NATIVE_DOUBLE;
    case Dtype::kInt32:
      return H5T_NATIVE_INT32;
    case Dtype::kInt64:
      return H5T_NATIVE_INT64;
    case Dtype::kUint8:
      return H5T_NATIVE_UINT8;
    case Dtype::kUint32:
      return H5T_NATIVE_UINT32;
    case Dtype::kUint64:
      return H5T_NATIVE_UINT64;
  }
  throw Error(Code::kBug, "unknown dtype");
}

std::vector<std::uint64_t> dimensions(hid_t dataset, const std::string& name) {
  const Hid space(H5Dget_space(dataset), &H5Sclose, "inspect", name);
  const int rank = check_h5(H5Sget_simple_extent_ndims(space.get()), "inspect", name);
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  check_h5(H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr), "inspect", name);
  return {dims.begin(), dims.end()};
}

void write_text(hid_t object, const std::string& name, std::string_view text) {
  const Hid type = text_type(text.size());
  const std::string padded = text.empty() ? std::string(1, '\0') : std::string(text);
  write_attribute(object, name, type.get(), type.get(), make_space({}), padded.data());
}

void write_long_text(hid_t object, const std::string& name, const std::string& text) {
  const Hid type = text_type(1);
  check_h5(H5Tset_size(type.get(), H5T_VARIABLE), "prepare", "a text type");
  const char* raw = text.c_str();
  write_attribute(object, name, type.get(), type.get(), make_space({}), &raw);
}

void write_integer(hid_t object, const std::string& name, std::int64_t value) {
  write_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, make_space({}), &value);
}

void write_u64s(hid_t object, const std::string& name, std::span<const std::uint64_t> values) {
  const std::uint64_t count = values.size();
  const std::uint64_t none = 0;  // HDF5 refuses a null buffer, even for no values
  write_attribute(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, make_space({&count, 1}),
                  values.empty() ? &none : values.data());
}

bool has_attribute(hid_t object, const std::string& name) {
  return check_h5(H5Aexists(object, name.c_str()), "look for", attribute_label(name)) > 0;
}

std::string read_text(hid_t object, const std::string& name) {
  const Hid attribute = open_attribute(object, name);
  const Hid type(H5Aget_type(attribute.get()), &H5Tclose, "inspect", attribute_label(name));
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind == H5T_INTEGER) return fmt::format("{}", read_integer(object, name));
  if (kind != H5T_STRING || value_count(attribute, name) != 1) {
    throw Error(Code::kData, fmt::format("attribute '{}' is not a text", name));
  }
  const bool variable = check_h5(H5Tis_variable_str(type.get()), "inspect", name) > 0;
  return variable ? read_variable_text(attribute, type, name)
                  : read_fixed_text(attribute, type, name);
}

std::int64_t read_integer(hid_t object, const std::string& name) {
  const Hid attribute = open_attribute(object, name);
  const Hid type(H5Aget_type(attribute.get()), &H5Tclose, "inspect", attribute_label(name));
  if (H5Tget_class(type.get()) != H5T_INTEGER || value_count(attribute, name) != 1) {
    throw Error(Code::kData, fmt::format("attribute '{}' is not one integer", name));
  }
  std::int64_t value = 0;
  check_h5(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value), "read", attribute_label(name));
  return value;
}

std::vector<std::uint64_t> read_u64s(hid_t object, const std::string& name, std::size_t count) {
  const Hid attribute = open_attribute(object, name);
  const Hid type(H5Aget_type(attribute.get()), &H5Tclose, "inspect", attribute_label(name));
  if (H5Tget_class(type.get()) != H5T_INTEGER || value_count(attribute, name) != count) {
    throw Error(Code::kData, fmt::format("attribute '{}' does not hold {} integers", name, count));
  }
  std::vector<std::uint64_t> values(count);
  if (count == 0) return values;
  check_h5(H5Aread(attribute.get(), H5T_NATIVE_UINT64, values.data()), "read",
           attribute_label(name));
  return values;
}

std::vector<std::string> attribute_names(hid_t object) {
  std::vector<std::string> names;
  check_h5(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, &collect_name, &names), "list",
           "attributes");
  return names;
}

std::vector<std::string> child_names(hid_t group) {
  std::vector<std::string> names;
  check_h5(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, &collect_link, &names), "list",
           "a group");
  return names;
}

std::vector<std::string> dataset_names(hid_t group) {
  std::vector<std::string> names;
  std::size_t seen = 0;
  collect_datasets(group, "", kDeepest, &names, &seen);
  return names;
}

void write_schema(hid_t file) {
  write_text(file, "schema", kSchemaName);
  write_integer(file, "schema_version", kSchemaVersion);
  write_text(file, "created_utc", base::utc_timestamp());
  write_text(file, "writer", "tenfold " TENFOLD_VERSION);
}

void check_schema(hid_t file) {
  if (!has_attribute(file, "schema") || read_text(file, "schema") != kSchemaName) {
    throw Error(Code::kData, "not a file of Tenfold (no root attribute schema=\"tenfold-run\")");
  }
  const std::int64_t version = read_integer(file, "schema_version");
  if (version != kSchemaVersion) {
    throw Error(Code::kData,
                fmt::format("schema version {}, but this program reads version {}", version,
                            kSchemaVersion),
                "Use the Tenfold that wrote it, or a newer one");
  }
}

void with_path(const std::filesystem::path& path, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", path.string(), error.message()), error.hint());
  }
}

}  // namespace tenfold::store
