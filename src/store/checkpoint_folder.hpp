// Names and entries of the checkpoint folder, and the file operations on them. Internal to store;
// nothing here is collective.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::store {

inline constexpr const char* kStateFile = "state.h5";
inline constexpr const char* kCommitFile = "COMMIT.json";
inline constexpr std::string_view kPrefix = "step-";
inline constexpr std::string_view kPartial = ".partial";  ///< being written, or left by a kill
inline constexpr std::string_view kOld = ".old";          ///< being replaced

/// "step-000000012000".
std::string step_name(std::uint64_t step);
/// The step of a folder that a loader may use ("step-...", or "step-....old" which stands in for it
/// while it is being replaced); nothing for other names.
std::optional<std::uint64_t> step_of_name(const std::string& name);

/// Whether path itself, not what a link points to, is of that type.
bool is_plain(const std::filesystem::path& path, std::filesystem::file_type type);
/// Whether the folder has anything named COMMIT.json.
bool claims_commit(const std::filesystem::path& folder);
/// Throws Code::kIo.
std::uint64_t file_bytes(const std::filesystem::path& file);
void rename_path(const std::filesystem::path& from, const std::filesystem::path& to);
void remove_tree(const std::filesystem::path& path);
/// Entries named step-*, that are not symbolic links when plain is asked for.
std::vector<std::filesystem::path> step_entries(const std::filesystem::path& folder, bool plain);
/// Two steps, so that a kill in between leaves a .partial and never a committed folder without
/// data.
void remove_checkpoint(const std::filesystem::path& path);

/// Every entry that claims to be a committed checkpoint, usable or not: oddly named ones first,
/// then newest first.
std::vector<std::filesystem::path> commit_candidates(const std::filesystem::path& folder);

}  // namespace tenfold::store
