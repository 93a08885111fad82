// What made a run: enough to run it again and to explain a difference between two runs.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace tenfold::store {

/// Attributes of /manifest, all as UTF-8 text or integers in text form: app, app_summary, paper,
/// version, git_commit, git_dirty, command_line, config (JSON: key -> {value, origin}), seed,
/// virtual_shards, reduce, world_size, hosts, device, threads, cpu_capability, dependency versions
/// (one "dep.NAME" each), started_utc, run_id.
using Manifest = std::map<std::string, std::string>;

/// Writes manifest.h5 (root attributes schema="tenfold-run", schema_version=1, created_utc, writer)
/// atomically: a temporary file renamed into place. Throws Code::kIo.
void write_manifest(const std::filesystem::path& path, const Manifest& manifest);

/// HDF5's own version and whether it is parallel.
std::string hdf5_description();

}  // namespace tenfold::store
