#include "tenfold/sparkline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>

namespace tenfold::tool {

namespace {

constexpr std::array<std::string_view, 8> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, 8> kAscii = {"_", ".", ":", "-", "=", "+", "*", "#"};

std::vector<double> group_means(const std::vector<double>& values, std::size_t width) {
  std::vector<double> means;
  for (std::size_t i = 0; i < width; ++i) {
    double sum = 0, count = 0;
    for (std::size_t j = i * values.size() / width; j < (i + 1) * values.size() / width; ++j) {
      if (!std::isfinite(values[j])) continue;
      sum += values[j];
      count += 1;
    }
    means.push_back(count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN());
  }
  return means;
}

}  // namespace

std::string sparkline(const std::vector<double>& values, std::size_t width, bool ascii) {
  const std::vector<double> points = values.size() > width ? group_means(values, width) : values;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double point : points) {
    if (!std::isfinite(point)) continue;
    low = std::min(low, point);
    high = std::max(high, point);
  }
  const auto& levels = ascii ? kAscii : kBlocks;
  std::string line;
  for (const double point : points) {
    if (!std::isfinite(point)) {
      line += ' ';
      continue;
    }
    // Halves first: the difference of two large numbers may overflow.
    const double place = high > low ? (point / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
    const auto level = static_cast<std::size_t>(place * static_cast<double>(levels.size()));
    line += levels[std::min(level, levels.size() - 1)];
  }
  return line;
}

bool needs_ascii() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string text(value);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text.find("utf-8") == std::string::npos && text.find("utf8") == std::string::npos;
  }
  return true;
}

}  // namespace tenfold::tool
