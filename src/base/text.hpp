// Small pieces of text that users read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::base {

/// The candidate with the smallest edit distance to word, or "" when none is near
/// (distance above max(2, length / 3)).
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// "1.2 GB", decimal units.
std::string human_bytes(double bytes);
/// "00:12:40"; days in front when there are any ("2d 03:00:00").
std::string human_duration(double seconds);
/// "38.1k", "1.20M": counts and rates.
std::string human_count(double value);
/// Control bytes and invalid UTF-8 as \xNN, so that input can be echoed to a terminal.
std::string printable(std::string_view text);
/// "2026-01-31T12:00:00Z".
std::string utc_timestamp();
/// "20260131-120000".
std::string utc_compact();

std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);

}  // namespace tenfold::base
