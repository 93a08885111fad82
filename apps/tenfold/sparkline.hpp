// A curve in one line of text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tenfold::tool {

/// values in order, at most width characters (means of equal groups when there are more); lowest
/// and highest level are the smallest and largest finite value. Values that are not finite show as
/// spaces.
std::string sparkline(const std::vector<double>& values, std::size_t width, bool ascii);
/// True when the terminal's locale is not UTF-8.
bool needs_ascii();

}  // namespace tenfold::tool
