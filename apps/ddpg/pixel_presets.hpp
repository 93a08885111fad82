// Presets for learning from pictures, with the source of each value.
#pragma once

#include "cli/option_table.hpp"

namespace tenfold::ddpg {

/// paper-pixels and modern-pixels.
void declare_pixel_presets(cli::OptionTable& table);

}  // namespace tenfold::ddpg
