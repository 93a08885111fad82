#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "kernels/runtime.hpp"

namespace tenfold::kernels {
namespace {

TEST(KernelRuntime, DescriptionNamesReleaseAndBackend) {
  EXPECT_THAT(kokkos_description(), testing::MatchesRegex("[0-9]\\.[0-9]+\\.[0-9][0-9] \\(.+\\)"));
}

TEST(KernelRuntime, HostTensorsAlwaysWork) {
  EXPECT_NO_THROW(check_device(at::kCPU));
}

TEST(KernelRuntime, DeviceWithoutBackendIsAUsageErrorThatSaysWhatToDo) {
  if (kokkos_has_cuda()) GTEST_SKIP() << "this Kokkos has a CUDA backend";
  try {
    check_device(c10::Device(at::kCUDA, 0));
    FAIL() << "a CUDA device was accepted";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_THAT(error.message(), testing::HasSubstr("no CUDA backend"));
    EXPECT_THAT(error.message(), testing::HasSubstr(kokkos_description()));
    EXPECT_THAT(error.hint(), testing::HasSubstr("--device cpu"));
  }
}

TEST(KernelRuntime, SecondEnvironmentIsRefused) {
  EXPECT_THROW(KokkosEnvironment second, base::Error);
}

}  // namespace
}  // namespace tenfold::kernels
