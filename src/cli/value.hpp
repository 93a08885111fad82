// Texts to values and back, and what is wrong with a text: shared by the table and its parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/option_table.hpp"

namespace tenfold::cli {

std::optional<bool> to_bool(const std::string& text);
std::optional<std::int64_t> to_integer(const std::string& text);
std::optional<double> to_real(const std::string& text);  ///< finite only
std::optional<std::vector<std::int64_t>> to_list(const std::string& text);

std::string from_real(double value);  ///< the shortest text that reads back equal
std::string from_list(const std::vector<std::int64_t>& values);

/// "an integer from 1 to 100 (steps)": what the option takes, for messages and help.
std::string describe_domain(const Option& option);
/// What is wrong with the text for this option, or "".
std::string find_fault(const Option& option, const std::string& text);

}  // namespace tenfold::cli
