// Settings with the source of each value.
#pragma once

#include "cli/option_table.hpp"

namespace tenfold::a3c {

void declare_presets(cli::OptionTable& table);

}  // namespace tenfold::a3c
