// The one life of ten applications: environment, options, run directory, build, restore, loop,
// finish, teardown.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/option_table.hpp"
#include "train/experiment.hpp"
#include "train/run_options.hpp"

namespace tenfold::train {

struct AppInfo {
  std::string name;     ///< "ddpg"
  std::string summary;  ///< one line for --help
  std::string paper;    ///< citation
};

/// The application's part in the life: declare its options, check them together once they are set
/// (throwing Code::kUsage), make the experiment from them.
struct AppHooks {
  std::function<void(cli::OptionTable&)> declare;
  std::function<void()> validate;
  std::function<std::unique_ptr<Experiment>()> make;
  /// How many of so many ranks learn; the others get no shards and act for them
  /// (RunContext::roles). All of them: the ranks have no roles. Throws Code::kUsage. May be empty:
  /// as all of them.
  std::function<int(int ranks)> learners = nullptr;
  /// Other defaults for options of the library. May be empty.
  std::function<void(RunOptions&)> defaults = nullptr;
};

/// Returns the process's exit code (docs/architecture.md, "Exit codes").
int run(int argc, char** argv, const AppInfo& info, const AppHooks& hooks);

/// Config needs declare(cli::OptionTable&) and validate(); Exp is made from a const Config&.
template <class Config, class Exp>
int run_app(int argc, char** argv, const AppInfo& info) {
  Config config;
  return run(argc, argv, info,
             {[&](cli::OptionTable& table) { config.declare(table); }, [&] { config.validate(); },
              [&]() -> std::unique_ptr<Experiment> { return std::make_unique<Exp>(config); }});
}

}  // namespace tenfold::train
