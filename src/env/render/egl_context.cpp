#include <array>
#include <cstdlib>
#include <vector>

#include "base/error.hpp"
#include "env/render/gl_backend.hpp"

// Declared here, not included: libEGL and its headers are optional. Values are those of the Khronos
// registry (EGL 1.5, EXT_device_enumeration, EXT_platform_device, MESA_platform_surfaceless).

namespace tenfold::env {

namespace {

using Handle = void*;
constexpr int kNone = 0x3038, kExtensions = 0x3055, kOpenGlApi = 0x30A2;
constexpr int kPlatformDevice = 0x313F, kPlatformSurfaceless = 0x31DD;
constexpr int kSurfaceType = 0x3033, kRenderableType = 0x3040, kOpenGlBit = 8;

struct Egl {
  void* (*get_proc_address)(const char*) = nullptr;
  const char* (*query_string)(Handle, int) = nullptr;
  unsigned (*initialize)(Handle, int*, int*) = nullptr;
  unsigned (*bind_api)(unsigned) = nullptr;
  unsigned (*choose_config)(Handle, const int*, Handle*, int, int*) = nullptr;
  Handle (*create_context)(Handle, Handle, Handle, const int*) = nullptr;
  unsigned (*make_current)(Handle, Handle, Handle, Handle) = nullptr;
  Handle (*current_context)() = nullptr;
  // Extensions: may be missing.
  Handle (*platform_display)(unsigned, void*, const int*) = nullptr;
  unsigned (*query_devices)(int, Handle*, int*) = nullptr;
  const char* (*query_device_string)(Handle, int) = nullptr;

  bool load(const LoadedLibrary& library);
};

bool Egl::load(const LoadedLibrary& library) {
  if (!library.find("eglGetProcAddress", &get_proc_address) ||
      !library.find("eglQueryString", &query_string) ||
      !library.find("eglInitialize", &initialize) || !library.find("eglBindAPI", &bind_api) ||
      !library.find("eglChooseConfig", &choose_config) ||
      !library.find("eglCreateContext", &create_context) ||
      !library.find("eglMakeCurrent", &make_current) ||
      !library.find("eglGetCurrentContext", &current_context)) {
    return false;
  }
  const auto extension = [this](const char* name, auto* function) {
    *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(get_proc_address(name));
  };
  extension("eglGetPlatformDisplayEXT", &platform_display);
  extension("eglQueryDevicesEXT", &query_devices);
  extension("eglQueryDeviceStringEXT", &query_device_string);
  return platform_display != nullptr;
}

bool names(const char* list, const std::string& extension) {
  return list != nullptr && std::string(list).find(extension) != std::string::npos;
}

class EglContext final : public GlContext {
 public:
  EglContext(const Egl& egl, Handle display, Handle context, const std::string& where)
      : egl_(egl), display_(display), context_(context) {
    describe("EGL, " + where, egl_.get_proc_address);
  }

  void make_current() override {
    if (egl_.current_context() == context_) return;
    // The calling thread's API may have been set to OpenGL ES by another user of EGL.
    if (egl_.bind_api(kOpenGlApi) == 0 ||
        egl_.make_current(display_, nullptr, nullptr, context_) == 0) {
      throw base::Error(base::Code::kUsage, "the context for pictures is in use by another thread",
                        "Draw on the thread that drew the first picture");
    }
  }

 private:
  Egl egl_;
  Handle display_, context_;
};

// A context without a surface on one display; null and why where it does not start.
std::unique_ptr<GlContext> start_on(const Egl& egl, Handle display, const std::string& where,
                                    std::string* why) {
  const auto fail = [&](const char* what) {
    *why += (why->empty() ? "" : "; ") + ("EGL, " + where + ": " + what);
    return nullptr;
  };
  if (display == nullptr || egl.initialize(display, nullptr, nullptr) == 0) {
    return fail("does not initialise");
  }
  if (!names(egl.query_string(display, kExtensions), "EGL_KHR_surfaceless_context")) {
    return fail("draws on surfaces only");
  }
  const std::array<int, 5> wanted = {kSurfaceType, 0, kRenderableType, kOpenGlBit, kNone};
  Handle config = nullptr;
  int count = 0;
  if (egl.bind_api(kOpenGlApi) == 0 ||
      egl.choose_config(display, wanted.data(), &config, 1, &count) == 0 || count == 0) {
    return fail("has no desktop OpenGL");
  }
  const Handle context = egl.create_context(display, config, nullptr, nullptr);
  if (context == nullptr) return fail("makes no context");
  if (egl.make_current(display, nullptr, nullptr, context) == 0) {
    return fail("its context cannot be made current");
  }
  return std::make_unique<EglContext>(egl, display, context, where);
}

std::vector<Handle> all_devices(const Egl& egl) {
  int count = 0;
  if (egl.query_devices == nullptr || egl.query_devices(0, nullptr, &count) == 0) return {};
  std::vector<Handle> devices(static_cast<std::size_t>(count));
  if (egl.query_devices(count, devices.data(), &count) == 0) return {};
  devices.resize(static_cast<std::size_t>(count));
  return devices;
}

std::vector<Handle> gpus(const Egl& egl) {
  std::vector<Handle> found;
  if (egl.query_device_string == nullptr) return found;
  for (Handle device : all_devices(egl)) {
    const char* extensions = egl.query_device_string(device, kExtensions);
    if (!names(extensions, "EGL_MESA_device_software")) found.push_back(device);
  }
  return found;
}

std::unique_ptr<GlContext> start_device(const Egl& egl, Handle device, const std::string& where,
                                        std::string* why) {
  return start_on(egl, egl.platform_display(kPlatformDevice, device, nullptr), where, why);
}

std::unique_ptr<GlContext> start_named_device(const Egl& egl, const std::string& number,
                                              std::string* why) {
  const std::vector<Handle> devices = all_devices(egl);
  char* end = nullptr;
  const unsigned long index = std::strtoul(number.c_str(), &end, 10);
  if (*end != '\0' || index >= devices.size()) {
    *why = fmt::format("EGL: MUJOCO_EGL_DEVICE_ID={}, and there are {} devices", number,
                       devices.size());
    return nullptr;
  }
  return start_device(egl, devices[index], "device " + number, why);
}

std::unique_ptr<GlContext> start_any(const Egl& egl, int local_rank, std::string* why) {
  const std::vector<Handle> devices = gpus(egl);
  if (!devices.empty()) {
    const std::size_t index = static_cast<std::size_t>(local_rank) % devices.size();
    auto made = start_device(egl, devices[index], fmt::format("GPU {}", index), why);
    if (made) return made;
  }
  return start_on(egl, egl.platform_display(kPlatformSurfaceless, nullptr, nullptr), "surfaceless",
                  why);
}

}  // namespace

std::unique_ptr<GlContext> start_egl(const std::string& library, int local_rank, std::string* why) {
  LoadedLibrary loaded(library);
  Egl egl;
  if (!loaded || !egl.load(loaded)) {
    *why = "EGL: no usable " + library;
    return nullptr;
  }
  const char* device = std::getenv("MUJOCO_EGL_DEVICE_ID");
  auto made = device != nullptr && *device != '\0' ? start_named_device(egl, device, why)
                                                   : start_any(egl, local_rank, why);
  // Closed where it does not start: MuJoCo would take it for the one that draws, if it found it
  // loaded.
  if (made) loaded.keep();
  return made;
}

}  // namespace tenfold::env
