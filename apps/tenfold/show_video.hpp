// `tenfold show --video`: the application's own player films its policy.
#pragma once

#include "base/error.hpp"
#include "tenfold/arguments.hpp"

namespace tenfold::tool {

/// Becomes <app>_film RUN EPISODES FILE; returns only by throwing. Code::kUsage: the application
/// has no such program here.
base::Code show_video(const Arguments& arguments);

}  // namespace tenfold::tool
