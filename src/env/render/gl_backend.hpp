// The two ways to an OpenGL context without a window, for gl_context.cpp.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <string>

#include "env/render/gl_context.hpp"

namespace tenfold::env {

/// Both return null where they cannot start and then say why.
std::unique_ptr<GlContext> start_egl(const std::string& library, int local_rank, std::string* why);
std::unique_ptr<GlContext> start_osmesa(const std::string& library, std::string* why);

/// A shared library, closed again unless kept.
class LoadedLibrary {
 public:
  explicit LoadedLibrary(const std::string& name) : handle_(::dlopen(name.c_str(), RTLD_NOW)) {}
  ~LoadedLibrary() {
    if (handle_ != nullptr && !kept_) ::dlclose(handle_);
  }
  LoadedLibrary(const LoadedLibrary&) = delete;
  LoadedLibrary& operator=(const LoadedLibrary&) = delete;

  explicit operator bool() const { return handle_ != nullptr; }
  void keep() { kept_ = true; }
  template <class Function>
  bool find(const char* name, Function* function) const {
    *function = reinterpret_cast<Function>(::dlsym(handle_, name));
    return *function != nullptr;
  }

 private:
  void* handle_;
  bool kept_ = false;
};

}  // namespace tenfold::env
