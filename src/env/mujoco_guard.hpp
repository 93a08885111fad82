// MuJoCo's errors as exceptions, its warnings as log lines.
#pragma once

#include <string_view>

namespace tenfold::env {

/// From now on MuJoCo's messages go to our log (debug level) and no longer to the terminal and to
/// MUJOCO_LOG.TXT in the user's folder. Process-wide; calling it again does nothing.
void route_mujoco_messages();

/// Runs body(argument). An error that MuJoCo raises inside (mju_error, which by default ends the
/// process and must not return) leaves body at once and becomes Error(Code::kData, "WHAT: MuJoCo's
/// text"). It leaves by a jump: body must own nothing that needs a destructor. Allocates nothing.
void guard_mujoco(std::string_view what, void (*body)(void*), void* argument);

}  // namespace tenfold::env
