// Kokkos' life and facts.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace tenfold::kernels {

/// Initialises Kokkos; finalises it in the destructor. Make one in main after MPI is up, before any
/// kernel; every tensor view must be gone before it dies.
class KokkosEnvironment {
 public:
  /// device_id: the GPU of this rank, -1 for the host.
  explicit KokkosEnvironment(int device_id = -1);
  ~KokkosEnvironment();
  KokkosEnvironment(const KokkosEnvironment&) = delete;
  KokkosEnvironment& operator=(const KokkosEnvironment&) = delete;
};

/// "3.4.01 (Serial)".
std::string kokkos_description();
/// True when this build's Kokkos can run kernels on CUDA tensors.
bool kokkos_has_cuda();
/// Throws Code::kUsage, naming the remedy, when this build has no kernels for tensors of device.
void check_device(const c10::Device& device);

}  // namespace tenfold::kernels
