// For tests that draw: skipped where no OpenGL can start.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace tenfold::env {

/// Whether a driver is installed, found without the code under test: where one is, a context that
/// does not start is a failure.
inline bool can_draw() {
  const char* wanted = std::getenv("MUJOCO_GL");
  const std::string only = wanted != nullptr ? wanted : "";
  std::vector<const char*> drivers;
  const bool hidden = std::getenv("__EGL_VENDOR_LIBRARY_FILENAMES") != nullptr;
  if (only != "osmesa" && !hidden) drivers = {"libEGL_mesa.so.0", "libEGL_nvidia.so.0"};
  if (only != "egl") drivers.push_back("libOSMesa.so.8");
  return std::any_of(drivers.begin(), drivers.end(), [](const char* name) {
    return ::dlopen(name, RTLD_LAZY | RTLD_LOCAL) != nullptr;
  });
}

/// Base of tests that draw.
class Pictures : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_draw())
      GTEST_SKIP()
          << "PICTURES NOT TESTED, no OpenGL driver: install libegl1 libegl-mesa0 libosmesa6";
  }
};

}  // namespace tenfold::env
