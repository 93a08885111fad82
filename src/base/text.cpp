#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <numeric>

#include "base/utf8.hpp"

namespace tenfold::base {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replace, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string format_utc(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), format, &utc);
  return text.data();
}

std::string scaled(double value, int small_digits, const std::array<const char*, 6>& units) {
  std::size_t unit = 0;
  // 999.95 and more would be written as 1000.0.
  while (std::abs(value) >= (unit == 0 ? 999.5 : 999.95) && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  const int digits = unit == 0 ? 0 : std::abs(value) < 9.995 ? small_digits : 1;
  return fmt::format("{:.{}f}{}", value, digits, units[unit]);
}

// Length of the valid UTF-8 sequence at the start of text, 0 when there is none or when it stands
// for a control character (terminals obey U+0080 to U+009F as they do ESC).
std::size_t printable_length(std::string_view text) {
  const Utf8Character first = first_character(text);
  const bool control = first.code < 0x20 || (first.code >= 0x7F && first.code < 0xA0);
  return first.valid && !control ? static_cast<std::size_t>(first.bytes) : 0;
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (const std::size_t distance = edit_distance(word, candidate); distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string human_bytes(double bytes) {
  return scaled(bytes, 1, {" B", " kB", " MB", " GB", " TB", " PB"});
}

std::string human_duration(double seconds) {
  const auto total =
      static_cast<std::int64_t>(std::llround(std::max(0.0, std::min(seconds, 1e12))));
  const std::int64_t days = total / 86400;
  const std::string clock =
      fmt::format("{:02}:{:02}:{:02}", total / 3600 % 24, total / 60 % 60, total % 60);
  return days > 0 ? fmt::format("{}d {}", days, clock) : clock;
}

std::string human_count(double value) {
  return scaled(value, 2, {"", "k", "M", "G", "T", "P"});
}

std::string printable(std::string_view text) {
  std::string safe;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = printable_length(text.substr(i));
    if (length == 0) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
      ++i;
    } else {
      safe += text.substr(i, length);
      i += length;
    }
  }
  return safe;
}

std::string utc_timestamp() {
  return format_utc("%Y-%m-%dT%H:%M:%SZ");
}
std::string utc_compact() {
  return format_utc("%Y%m%d-%H%M%S");
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = text.find(separator, begin);
    parts.emplace_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

}  // namespace tenfold::base
