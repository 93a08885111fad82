// Text as man pages want it.
#pragma once

#include <string>
#include <string_view>

namespace tenfold::cli {

/// Backslashes, dashes and quotes literally, and no line that is taken for a request.
std::string roff(std::string_view text);
/// ".TH NAME 1 ..." with the program's version.
std::string roff_head(std::string_view program, std::string_view version);

}  // namespace tenfold::cli
