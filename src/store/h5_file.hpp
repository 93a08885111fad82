// Files, groups and attributes of schema v1 (docs/schema.md) over checked HDF5 calls.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/hid.hpp"
#include "store/state_registry.hpp"

namespace tenfold::store {

inline constexpr std::string_view kSchemaName = "tenfold-run";
inline constexpr std::int64_t kSchemaVersion = 1;

// All functions throw Code::kIo naming the object unless they say otherwise; the caller holds an
// Hdf5Session and adds the file's path (see with_path). None is collective.

/// File access: serial driver, formats of HDF5 from `low` on; locking says whether HDF5's own file
/// lock is taken (metrics: yes; checkpoints, which never change once they can be seen: no).
Hid serial_access(H5F_libver_t low, bool locking);
Hid create_file(const std::filesystem::path& path, unsigned flags, const Hid& access);
Hid open_file(const std::filesystem::path& path, unsigned flags, const Hid& access);
/// Creates missing groups above it as well.
Hid create_group(hid_t parent, const std::string& name);
bool path_exists(hid_t parent, const std::string& name);
Hid open_group(hid_t parent, const std::string& name);

/// A simple data space; {} is one value. maximum: {} means the same as dims.
Hid make_space(std::span<const std::uint64_t> dims, std::span<const std::uint64_t> maximum = {});
/// UTF-8 text of exactly `bytes` bytes (at least 1), padded with NUL.
Hid text_type(std::size_t bytes);
/// Type in files (little-endian) and in memory.
hid_t file_type(Dtype dtype);
hid_t memory_type(Dtype dtype);
std::vector<std::uint64_t> dimensions(hid_t dataset, const std::string& name);

void write_text(hid_t object, const std::string& name, std::string_view text);
/// Variable length: for texts above the 64 KiB that an attribute's own storage can hold.
void write_long_text(hid_t object, const std::string& name, const std::string& text);
void write_integer(hid_t object, const std::string& name, std::int64_t value);
void write_u64s(hid_t object, const std::string& name, std::span<const std::uint64_t> values);

bool has_attribute(hid_t object, const std::string& name);
/// Text of either kind, integers in decimal. Throws Code::kData when it is neither or above 16 MiB.
std::string read_text(hid_t object, const std::string& name);
/// Throws Code::kData when it is not one integer.
std::int64_t read_integer(hid_t object, const std::string& name);
/// Throws Code::kData when it does not have exactly count values.
std::vector<std::uint64_t> read_u64s(hid_t object, const std::string& name, std::size_t count);
std::vector<std::string> attribute_names(hid_t object);
/// Names of the links of a group.
std::vector<std::string> child_names(hid_t group);
/// Paths of all data sets below a group. Throws Code::kData when groups are nested more than 16
/// deep (so also when one holds itself) or hold more than 65536 links.
std::vector<std::string> dataset_names(hid_t group);

/// Root attributes schema, schema_version, created_utc, writer.
void write_schema(hid_t file);
/// Throws Code::kData when the root attributes are not of a schema that this program reads.
void check_schema(hid_t file);

/// Runs body; a base::Error that it throws gets "PATH: " in front.
void with_path(const std::filesystem::path& path, const std::function<void()>& body);

}  // namespace tenfold::store
