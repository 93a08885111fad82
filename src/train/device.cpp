#include "train/device.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <sched.h>
#include <torch/version.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "kernels/runtime.hpp"

namespace tenfold::train {

using base::Code;
using base::Error;

namespace {

int usable_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0) return 1;
  return std::max(1, CPU_COUNT(&mask));
}

// What the user or the scheduler asked for, else this rank's share of the node.
int default_threads(const comm::Communicator& node) {
  if (const char* const wanted = std::getenv("OMP_NUM_THREADS")) {
    int threads = 0;
    const std::string_view text(wanted);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
    // OpenMP allows a list, one number per level of nesting: the first is ours.
    const bool whole = end == text.data() + text.size() || *end == ',';
    if (error == std::errc() && whole && threads > 0) return threads;
    if (!text.empty()) {
      throw Error(Code::kUsage,
                  fmt::format("OMP_NUM_THREADS is '{}', not a number of threads",
                              base::printable(std::string(text))),
                  "Unset it, or give --threads");
    }
  }
  // mpirun binds each of two ranks to one core, but leaves the mask whole beyond: divide then.
  const int cores = usable_cores();
  return cores > 1 ? std::max(1, cores / node.size()) : 1;
}

at::Device choose_gpu(bool oversubscribe, const comm::Communicator& node) {
  const char* const use_cpu = "Use --device cpu";
  if (!at::hasCUDA()) {
    throw Error(
        Code::kUsage,
        "--device cuda: no usable GPU (LibTorch sees none: a CPU-only torch wheel, no NVIDIA "
        "driver, or no device given to this job)",
        "Install the CUDA wheel of torch and ask the scheduler for GPUs, or use --device cpu");
  }
  const int gpus = at::detail::getCUDAHooks().deviceCount();
  if (gpus == 0)
    throw Error(Code::kUsage, "--device cuda: no GPU is visible to this rank", use_cpu);
  if (node.size() > gpus && !oversubscribe) {
    throw Error(Code::kUsage,
                fmt::format("--device cuda: {} ranks on {} but only {} GPUs", node.size(),
                            comm::host_name(), gpus),
                "Start one rank per GPU, or allow sharing with --gpu-oversubscribe");
  }
  if (!kernels::kokkos_has_cuda()) {
    throw Error(
        Code::kUsage,
        fmt::format("--device cuda: this build's Kokkos has no CUDA backend ({})",
                    kernels::kokkos_description()),
        "Rebuild with the cuda preset and Kokkos_ROOT set to a CUDA build of Kokkos, or use "
        "--device cpu");
  }
  return {at::kCUDA, static_cast<c10::DeviceIndex>(node.rank() % gpus)};
}

// Infinite where LibTorch is too old to tell.
double free_bytes([[maybe_unused]] const at::Device& gpu) {
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 10
  at::globalContext().lazyInitDevice(at::kCUDA);
  return static_cast<double>(c10::getDeviceAllocator(at::kCUDA)->getMemoryInfo(gpu.index()).first);
#else
  return std::numeric_limits<double>::infinity();
#endif
}

}  // namespace

DeviceChoice choose_device(const std::string& device, bool gpu_oversubscribe, std::int64_t threads,
                           const comm::Communicator& node) {
  DeviceChoice choice;
  choice.sharing = node.size();
  if (device == "cuda") {
    choice.device = choose_gpu(gpu_oversubscribe, node);
    const int gpus = at::detail::getCUDAHooks().deviceCount();
    choice.sharing = (node.size() + gpus - 1 - node.rank() % gpus) / gpus;
    choice.free_bytes = free_bytes(choice.device);
  } else {
    choice.free_bytes = base::available_memory_bytes();
  }
  choice.local_rank = node.rank();
  choice.threads = threads > 0 ? static_cast<int>(threads) : default_threads(node);
  choice.description = fmt::format("{}, {} {}, {}", choice.device.str(), choice.threads,
                                   choice.threads == 1 ? "thread" : "threads", cpu_capability());
  return choice;
}

void prepare_torch(const DeviceChoice& choice) {
  at::set_num_threads(choice.threads);
  at::set_num_interop_threads(1);
  at::globalContext().setDeterministicAlgorithms(true, false);
  at::globalContext().setBenchmarkCuDNN(false);
}

std::string torch_description() {
  return TORCH_VERSION;
}

std::string cpu_capability() {
  return at::get_cpu_capability();
}

}  // namespace tenfold::train
