// What a run's folder says of its policy; the run may be going on.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/option_table.hpp"
#include "nn/parameter_layout.hpp"
#include "store/hid.hpp"

namespace tenfold::rl {

/// Sets what declare declares to the options that a run of app was started with, from its manifest,
/// and returns the run's seed. Throws Code::kData: another application's run, or options that this
/// program does not know.
std::uint32_t read_run_options(const std::filesystem::path& run, const std::string& app,
                               const std::function<void(cli::OptionTable&)>& declare);

/// An open checkpoint.
struct StoredCheckpoint {
  std::filesystem::path folder;
  std::uint64_t step = 0;
  hid_t group = -1;

  /// What train::register_flat wrote under prefix: float32 [P] of the layout. Throws Code::kData
  /// when there is another network.
  at::Tensor flat(const std::string& prefix, const nn::ParameterLayout& layout) const;
  std::uint64_t number(const std::string& name) const;
};

/// Opens the newest checkpoint of run that is whole and lets read look at it; those passed over are
/// named in warnings. Throws Code::kCheckpoint when there is none, and what read throws of
/// Code::kData.
void read_newest_checkpoint(const std::filesystem::path& run, std::vector<std::string>& warnings,
                            const std::function<void(const StoredCheckpoint&)>& read);

}  // namespace tenfold::rl
