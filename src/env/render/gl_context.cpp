#include "env/render/gl_context.hpp"

#include <cstdlib>
#include <mutex>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "env/render/gl_backend.hpp"

namespace tenfold::env {

using base::Code;
using base::Error;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

Error refusal(const std::string& wanted, const std::string& tried) {
  return Error(
      Code::kUsage,
      fmt::format("pictures cannot be drawn here{}: {}",
                  wanted.empty() ? "" : " with MUJOCO_GL=" + wanted, base::printable(tried)),
      "apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri, or libosmesa6 and set "
      "MUJOCO_GL=osmesa; or observe the state instead of pixels");
}

}  // namespace

std::unique_ptr<GlContext> make_gl_context(int local_rank, const GlLibraries& libraries) {
  const std::string wanted = environment("MUJOCO_GL");
  if (!wanted.empty() && wanted != "egl" && wanted != "osmesa") {
    throw Error(Code::kUsage,
                fmt::format("MUJOCO_GL is '{}', but pictures are drawn without a window here",
                            base::printable(wanted)),
                "Set MUJOCO_GL to egl or osmesa, or unset it");
  }
  ::setenv("LP_NUM_THREADS", "1", 0);
  std::string tried;
  std::unique_ptr<GlContext> made;
  if (wanted != "osmesa") {
    made = start_egl(libraries.egl, local_rank, &tried);
    if (made) ::setenv("MUJOCO_GL", "egl", 0);
  }
  if (!made && wanted != "egl") {
    std::string why;
    made = start_osmesa(libraries.osmesa, &why);
    if (made) {
      ::setenv("MUJOCO_GL", "osmesa", 0);
    } else {
      tried += (tried.empty() ? "" : "; ") + why;
    }
  }
  if (!made) throw refusal(wanted, tried);
  base::log_info("pictures are drawn by {}{}", base::printable(made->description()),
                 tried.empty() ? "" : " (not by " + base::printable(tried) + ")");
  return made;
}

void GlContext::describe(const std::string& how, void* (*find)(const char*)) {
  constexpr unsigned kRenderer = 0x1F01, kVersion = 0x1F02, kMaxRenderbufferSize = 0x84E8;
  const auto text = reinterpret_cast<const unsigned char* (*)(unsigned)>(find("glGetString"));
  const auto number = reinterpret_cast<void (*)(unsigned, int*)>(find("glGetIntegerv"));
  const auto say = [text](unsigned name) {
    const unsigned char* found = text != nullptr ? text(name) : nullptr;
    return std::string(found != nullptr ? reinterpret_cast<const char*>(found) : "unknown");
  };
  description_ = how + ": " + say(kRenderer) + ", OpenGL " + say(kVersion);
  if (number != nullptr) number(kMaxRenderbufferSize, &largest_side_);
}

GlContext& GlContext::of_process(int local_rank) {
  static std::mutex mutex;
  // Never destroyed: drivers unload before static objects go.
  static GlContext* context = nullptr;
  const std::lock_guard<std::mutex> lock(mutex);
  if (context == nullptr) context = make_gl_context(local_rank).release();
  return *context;
}

}  // namespace tenfold::env
