#include "kernels/runtime.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "kernels/compat.hpp"

namespace tenfold::kernels {

namespace {

bool started_here = false;

}  // namespace

KokkosEnvironment::KokkosEnvironment(int device_id) {
  base::require(!started_here, "a second KokkosEnvironment was made");
  // A host program that embeds the suite may have started Kokkos already; then it also ends it.
  if (Kokkos::is_initialized()) return;
  initialize_kokkos(device_id);
  started_here = true;
}

KokkosEnvironment::~KokkosEnvironment() {
  if (!started_here) return;
  started_here = false;
  Kokkos::finalize();
}

std::string kokkos_description() {
  std::string backends;
  const auto add = [&backends](const char* name) {
    if (!backends.empty()) backends += ", ";
    backends += name;
  };
#if defined(KOKKOS_ENABLE_CUDA)
  add("Cuda");
#endif
#if defined(KOKKOS_ENABLE_OPENMP)
  add("OpenMP");
#endif
#if defined(KOKKOS_ENABLE_THREADS)
  add("Threads");
#endif
#if defined(KOKKOS_ENABLE_SERIAL)
  add("Serial");
#endif
  return fmt::format("{}.{}.{:02} ({})", KOKKOS_VERSION / 10000, KOKKOS_VERSION / 100 % 100,
                     KOKKOS_VERSION % 100, backends);
}

bool kokkos_has_cuda() {
#if defined(KOKKOS_ENABLE_CUDA)
  return true;
#else
  return false;
#endif
}

void check_device(const c10::Device& device) {
  if (device.is_cpu() || (device.is_cuda() && kokkos_has_cuda())) return;
  throw base::Error(
      base::Code::kUsage,
      fmt::format("this build's Kokkos has no {} backend ({}), so its kernels cannot "
                  "work on tensors of {}",
                  device.is_cuda() ? "CUDA" : c10::DeviceTypeName(device.type(), true),
                  kokkos_description(), device.str()),
      "Rebuild with the cuda preset and Kokkos_ROOT set to a CUDA build of Kokkos, or "
      "use --device cpu");
}

}  // namespace tenfold::kernels
