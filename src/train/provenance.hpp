// The facts of a run for its manifest, --version and the banner.
#pragma once

#include <map>
#include <string>

#include "cli/option_table.hpp"
#include "store/manifest.hpp"
#include "train/run_app.hpp"
#include "train/run_options.hpp"

namespace tenfold::train {

/// Versions of Tenfold and of everything it is built on, one per line.
std::string version_text(const AppInfo& info);
/// What was typed, quoted where a shell would need it.
std::string command_line(int argc, char** argv);
/// git describe of what the program was built from.
std::string git_description();
/// {"key": "value", ...} of the options that results depend on.
std::string result_config(const cli::OptionTable& table, const cli::Resolved& resolved);
/// The same with what building found (RunContext::facts): what a checkpoint is held against.
std::string with_facts(const std::string& result_config,
                       const std::map<std::string, std::string>& facts);
/// 6 hex digits of the digest of result_config, for run ids.
std::string config_digest(const std::string& result_config);
/// Collective (gathers hosts).
store::Manifest collect_manifest(const AppInfo& info, const RunOptions& options,
                                 const cli::Resolved& resolved, const RunContext& context,
                                 const std::string& command_line, const std::string& run_id);

}  // namespace tenfold::train
