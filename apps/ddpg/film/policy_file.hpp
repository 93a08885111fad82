// The policy that a run has learnt so far, read from its folder; the run may be going on.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ddpg/config.hpp"
#include "nn/network.hpp"

namespace tenfold::ddpg {

struct StoredPolicy {
  std::filesystem::path checkpoint;  ///< the step's folder
  std::uint64_t step = 0;
  std::uint64_t evaluations = 0;   ///< made before the checkpoint
  at::Tensor parameters, buffers;  ///< of mu: flat float32 of its layouts
};

/// The options that a run of ddpg was started with, from its manifest. Throws Code::kData: another
/// application's run, or options that this program does not know.
void read_config(const std::filesystem::path& run, Config& config, std::uint32_t& seed);

/// mu of the newest checkpoint that is whole; those passed over are named in warnings. Throws
/// Code::kCheckpoint when there is none, Code::kData when it holds another network.
StoredPolicy load_policy(const std::filesystem::path& run, const nn::Network& mu,
                         std::vector<std::string>* warnings);

}  // namespace tenfold::ddpg
