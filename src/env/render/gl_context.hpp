// OpenGL without a window: what MuJoCo draws with. Nothing of it is needed to build, and nothing is
// loaded before the first picture.
#pragma once

#include <memory>
#include <string>

namespace tenfold::env {

/// Where the libraries are looked for; another name is for tests.
struct GlLibraries {
  std::string egl = "libEGL.so.1";
  std::string osmesa = "libOSMesa.so.8";
};

/// A desktop OpenGL context that draws into memory. It belongs to one thread at a time.
class GlContext {
 public:
  virtual ~GlContext() = default;
  GlContext() = default;
  GlContext(const GlContext&) = delete;
  GlContext& operator=(const GlContext&) = delete;

  /// The context of this process, made by the first call (later local_ranks are ignored) and kept
  /// to the process's end. As make_gl_context.
  static GlContext& of_process(int local_rank);

  /// Makes this the calling thread's context, if it is not (a Gymnasium task may have its own).
  /// Throws Code::kUsage when another thread holds it.
  virtual void make_current() = 0;
  /// "EGL, surfaceless: llvmpipe (LLVM 15.0.6, 256 bits), OpenGL 4.5 ...": pictures have the same
  /// bytes only where this is the same. Names what was tried before without success.
  const std::string& description() const { return description_; }
  int largest_side() const { return largest_side_; }  ///< of a picture, pixels

 protected:
  /// Fills both from the current context, whose function addresses find gives.
  void describe(const std::string& how, void* (*find)(const char*));

 private:
  std::string description_;
  int largest_side_ = 0;
};

/// With MUJOCO_GL unset, the first that starts of: EGL on a GPU (number local_rank, modulo their
/// number; MUJOCO_EGL_DEVICE_ID takes that one of all EGL devices instead and nothing else), EGL
/// without a GPU or display (Mesa), OSMesa. MUJOCO_GL=egl or osmesa allows that one alone. Sets
/// MUJOCO_GL, which MuJoCo reads, and LP_NUM_THREADS=1 (Mesa's threads; ranks are our parallelism)
/// where they are unset. Logs what it chose. Throws Code::kUsage when none starts, with the Debian
/// packages to install, and for another MUJOCO_GL.
std::unique_ptr<GlContext> make_gl_context(int local_rank, const GlLibraries& libraries = {});

}  // namespace tenfold::env
