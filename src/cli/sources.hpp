// Where values come from besides the command line.
#pragma once

#include <string>
#include <vector>

#include "cli/names.hpp"

namespace tenfold::cli {

/// The values that TENFOLD_GROUP__NAME variables set. Throws Code::kUsage for a TENFOLD_ variable
/// that is neither an option nor one of those that other parts of the suite read.
std::vector<ResolvedValue> read_environment(const std::vector<std::string>& environment,
                                            const Names& names);

/// The values that a config file sets, with "path:line" as origin. Throws Code::kUsage naming path
/// and line.
std::vector<ResolvedValue> read_config(const std::string& path, const Names& names);

/// The value as config files hold it: quoted where it would otherwise read back differently.
std::string quote(const std::string& value);

}  // namespace tenfold::cli
