// Loading MJCF with MuJoCo's own error texts.
#pragma once

#include <mujoco/mujoco.h>

#include <filesystem>
#include <memory>
#include <string>

namespace tenfold::env {

struct ModelDeleter {
  void operator()(mjModel* model) const { mj_deleteModel(model); }
};
using ModelPointer = std::unique_ptr<mjModel, ModelDeleter>;

/// Throws Code::kData with the path and, where there is no such file, the advice, for a file that
/// does not parse or compile, MuJoCo's message, which names the line. Routes MuJoCo's messages to
/// our log (mujoco_guard.hpp).
ModelPointer load_model(const std::filesystem::path& path, const std::string& advice = "");

/// "4.0.0", of the library that runs; refuses (Code::kUsage) one that does not match the headers.
std::string mujoco_version();

}  // namespace tenfold::env
