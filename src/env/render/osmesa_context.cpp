#include <array>

#include "base/error.hpp"
#include "env/render/gl_backend.hpp"

// Declared here, not included: OSMesa and its headers are optional.

namespace tenfold::env {

namespace {

using Handle = void*;
constexpr unsigned kRgba = 0x1908, kUnsignedByte = 0x1401;

struct OsMesa {
  Handle (*create_context)(unsigned format, int depth, int stencil, int accum, Handle) = nullptr;
  unsigned char (*make_current)(Handle, void* buffer, unsigned type, int width,
                                int height) = nullptr;
  Handle (*current_context)() = nullptr;
  void* (*get_proc_address)(const char*) = nullptr;
};

class OsMesaContext final : public GlContext {
 public:
  OsMesaContext(const OsMesa& library, Handle context) : library_(library), context_(context) {}

  /// False where the library refuses.
  bool start() {
    if (!bind()) return false;
    describe("OSMesa", library_.get_proc_address);
    return true;
  }
  void make_current() override {
    if (library_.current_context() == context_ || bind()) return;
    throw base::Error(base::Code::kUsage, "the context for pictures is in use by another thread",
                      "Draw on the thread that drew the first picture");
  }

 private:
  bool bind() {
    return library_.make_current(context_, unused_.data(), kUnsignedByte, kSide, kSide) != 0;
  }

  static constexpr int kSide = 16;  ///< MuJoCo draws into a buffer of its own
  OsMesa library_;
  Handle context_;
  std::array<unsigned char, kSide * kSide * 4> unused_{};
};

}  // namespace

std::unique_ptr<GlContext> start_osmesa(const std::string& library, std::string* why) {
  LoadedLibrary loaded(library);
  OsMesa functions;
  if (!loaded || !loaded.find("OSMesaCreateContextExt", &functions.create_context) ||
      !loaded.find("OSMesaMakeCurrent", &functions.make_current) ||
      !loaded.find("OSMesaGetCurrentContext", &functions.current_context) ||
      !loaded.find("OSMesaGetProcAddress", &functions.get_proc_address)) {
    *why = "OSMesa: no usable " + library;
    return nullptr;
  }
  loaded.keep();
  const Handle context = functions.create_context(kRgba, 24, 8, 0, nullptr);
  auto made = context != nullptr ? std::make_unique<OsMesaContext>(functions, context) : nullptr;
  if (made && made->start()) return made;
  *why = "OSMesa: makes no context";
  return nullptr;
}

}  // namespace tenfold::env
