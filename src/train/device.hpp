// Which device a rank computes on, and how many threads it uses.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <limits>
#include <string>

#include "comm/communicator.hpp"

namespace tenfold::train {

struct DeviceChoice {
  at::Device device{at::kCPU};
  int threads = 1;
  int local_rank = 0;  ///< among the ranks of the node
  int sharing = 1;     ///< ranks that have the device's memory together
  /// Of it, before any of them has taken some.
  double free_bytes = std::numeric_limits<double>::infinity();
  std::string description;  ///< "cpu, 1 thread, AVX2" or "cuda:0 NVIDIA H100"
};

/// Not collective. device: "cpu" or "cuda" (local rank -> GPU). threads 0: OMP_NUM_THREADS, else
/// cores of this rank's affinity mask over the ranks of the node. Throws Code::kUsage: no GPU, a
/// CPU-only LibTorch, fewer GPUs than ranks on the node, a Kokkos without CUDA.
DeviceChoice choose_device(const std::string& device, bool gpu_oversubscribe, std::int64_t threads,
                           const comm::Communicator& node);

/// Sets LibTorch's thread counts and deterministic algorithms. Once, before any tensor operation.
void prepare_torch(const DeviceChoice& choice);

std::string torch_description();
/// "AVX2", "AVX512", ...: kernels that LibTorch picks on this CPU.
std::string cpu_capability();

}  // namespace tenfold::train
