#include <array>

#include "base/text.hpp"
#include "cli/option_table.hpp"
#include "cli/value.hpp"

namespace tenfold::cli {

std::optional<double> parse_duration(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    double seconds = 0;
    const std::vector<std::string> parts = base::split(text, ':');
    // Slurm reads two parts as minutes:seconds, most people as hours:minutes, so neither is taken.
    if (parts.size() != 3) return std::nullopt;
    for (const std::string& part : parts) {
      const auto value = to_integer(part);
      if (!value || *value < 0) return std::nullopt;
      seconds = 60 * seconds + static_cast<double>(*value);
    }
    return seconds;
  }
  constexpr std::string_view kUnits = "smhd";
  constexpr std::array<double, 4> kSeconds{1, 60, 3600, 86400};
  double scale = 1;
  if (const std::size_t unit = text.empty() ? text.npos : kUnits.find(text.back());
      unit != text.npos) {
    scale = kSeconds[unit];
    text.remove_suffix(1);
  }
  const auto value = to_real(std::string(text));
  if (!value || *value < 0) return std::nullopt;
  return scale * *value;
}

}  // namespace tenfold::cli
