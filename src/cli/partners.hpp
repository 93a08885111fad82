// Options that mean something only beside another one.
#pragma once

#include <string>
#include <vector>

#include "cli/option_table.hpp"

namespace tenfold::cli {

/// "--sampling prioritised", "--planner ilqg or cem", "--checkpoint-local": what option.partner
/// asks for.
std::string partner_text(const Option& option, const std::vector<Option>& options);

/// Sets what a preset says of options whose partner is not there back to their defaults: it changes
/// nothing, and who says all values again (a file of --print-config, `tenfold rerun`) may say it.
void leave_out_idle_presets(const std::vector<Option>& options, Resolved& resolved);

/// Throws Code::kUsage, naming both, for an option that the user gave (on the line, in the
/// environment or in a file; said_keys) another value than its default, and whose partner is not
/// there. A value that is the default may stand: --print-config writes all of them.
void refuse_without_partner(const std::vector<Option>& options, const Resolved& resolved,
                            const std::vector<std::string>& said_keys);

}  // namespace tenfold::cli
