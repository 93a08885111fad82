#include "env/mujoco_model.hpp"

#include <array>

#include "base/error.hpp"
#include "base/text.hpp"
#include "env/mujoco_guard.hpp"

namespace tenfold::env {

using base::Code;
using base::Error;

namespace {

struct SpecDeleter {
  void operator()(mjSpec* spec) const { mj_deleteSpec(spec); }
};

Error refusal(const std::string& path, const char* text) {
  return Error(Code::kData, fmt::format("{}: {}", path, base::printable(text)),
               "Correct the MJCF file");
}

}  // namespace

ModelPointer load_model(const std::filesystem::path& path, const std::string& advice) {
  mujoco_version();
  route_mujoco_messages();
  const std::string shown = path.string();
  if (!std::filesystem::is_regular_file(path)) {
    throw Error(Code::kData, fmt::format("no model file {}", base::printable(shown)), advice);
  }
  std::array<char, 1000> text{};
  const std::unique_ptr<mjSpec, SpecDeleter> spec(
      mj_parseXML(shown.c_str(), nullptr, text.data(), static_cast<int>(text.size())));
  if (!spec) throw refusal(shown, text.data());
  ModelPointer model(mj_compile(spec.get(), nullptr));
  if (!model) throw refusal(shown, mjs_getError(spec.get()));
  return model;
}

std::string mujoco_version() {
  if (mj_version() != mjVERSION_HEADER) {
    throw Error(
        Code::kUsage,
        fmt::format("MuJoCo {} is loaded, but this program was built with the headers of {}",
                    mj_versionString(), mjVERSION_HEADER),
        "Run jobs/setup and build again");
  }
  return mj_versionString();
}

}  // namespace tenfold::env
