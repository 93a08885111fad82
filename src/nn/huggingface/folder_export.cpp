#include "nn/huggingface/folder_export.hpp"

#include "base/error.hpp"
#include "base/file.hpp"

namespace tenfold::nn {

namespace fs = std::filesystem;

void require_new_folder(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  if (fs::is_directory(folder, error) && fs::is_empty(folder, error)) return;
  throw base::Error(base::Code::kUsage,
                    fmt::format("cannot export to {}: it is already there", folder.string()),
                    "Name a new folder");
}

void require_writable_place(const fs::path& folder) {
  fs::path probe = folder.has_filename() ? folder : folder.parent_path();
  probe += ".probe";
  std::error_code ignored;
  std::vector<fs::path> missing;  // innermost first
  for (fs::path each = probe; !each.empty() && !fs::exists(fs::symlink_status(each, ignored));
       each = each.parent_path()) {
    missing.push_back(each);
  }
  const auto take_away = [&] {
    for (const fs::path& each : missing) fs::remove(each, ignored);
  };
  try {
    base::make_directories(probe);
  } catch (const base::Error& error) {
    take_away();
    throw base::Error(error.code(),
                      fmt::format("cannot export to {}: {}", folder.string(), error.message()),
                      "Name a folder that can be made");
  }
  take_away();
}

void write_folder(const fs::path& folder, const std::function<void(const fs::path&)>& fill) {
  const fs::path whole = folder.has_filename() ? folder : folder.parent_path();
  fs::path partial = whole;
  partial += ".partial";
  try {
    require_new_folder(whole);
    fs::remove_all(partial);
    base::make_directories(partial);
    fill(partial);
    fs::rename(partial, whole);
    base::sync_path(whole.has_parent_path() ? whole.parent_path() : fs::path("."));
  } catch (const fs::filesystem_error& error) {
    throw base::Error(base::Code::kIo,
                      fmt::format("cannot export to {}: {}", whole.string(), error.what()));
  }
}

std::vector<TensorToStore> entries_to_store(const ParameterLayout& layout,
                                            std::span<const float> flat, StoredType type) {
  base::require(static_cast<std::int64_t>(flat.size()) == layout.flat_size(),
                "an export's flat buffer must be [flat_size]");
  base::require(is_weight_type(type), "weights are exported as F32, F16 or BF16");
  std::vector<TensorToStore> tensors;
  for (const ParameterEntry& entry : layout.entries()) {
    const auto all =
        flat.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size));
    tensors.push_back(
        {entry.name, type, entry.shape,
         [all, type](std::int64_t first, std::span<std::byte> bytes) {
           narrow(type,
                  all.subspan(static_cast<std::size_t>(first), bytes.size() / element_bytes(type)),
                  bytes);
         }});
  }
  return tensors;
}

}  // namespace tenfold::nn
