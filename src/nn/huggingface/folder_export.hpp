// Folders that take their name when all that belongs in them is written.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "nn/huggingface/safetensors.hpp"
#include "nn/parameter_layout.hpp"

namespace tenfold::nn {

/// Throws Code::kUsage where folder is there and not empty: what write_folder would throw, for
/// callers that want to know it before they compute what is to be written.
void require_new_folder(const std::filesystem::path& folder);
/// Throws Code::kIo where no folder can be made beside folder: makes one, and takes away again what
/// it has made.
void require_writable_place(const std::filesystem::path& folder);
/// Calls fill with folder.partial, a new one, and renames it. Throws Code::kUsage where folder is
/// there and not empty, Code::kIo.
void write_folder(const std::filesystem::path& folder,
                  const std::function<void(const std::filesystem::path&)>& fill);

/// The entries of a flat buffer [flat_size], which is read when they are written.
std::vector<TensorToStore> entries_to_store(const ParameterLayout& layout,
                                            std::span<const float> flat, StoredType type);

}  // namespace tenfold::nn
