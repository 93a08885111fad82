#include "cli/preset_values.hpp"

#include <algorithm>

namespace tenfold::cli {

PresetValues with(PresetValues values, const PresetValues& changed) {
  for (const PresetValue& each : changed) {
    const auto old = std::find_if(values.begin(), values.end(),
                                  [&](const PresetValue& value) { return value.key == each.key; });
    if (old != values.end()) {
      *old = each;
    } else {
      values.push_back(each);
    }
  }
  return values;
}

}  // namespace tenfold::cli
