// Presets that differ from one another in a few values.
#pragma once

#include <vector>

#include "cli/option_table.hpp"

namespace tenfold::cli {

using PresetValues = std::vector<PresetValue>;

/// values with those of changed in the place of the ones with their keys, new keys behind.
PresetValues with(PresetValues values, const PresetValues& changed);

}  // namespace tenfold::cli
