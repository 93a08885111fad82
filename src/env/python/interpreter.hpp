// The one Python of this process: embedded CPython, started when the first task needs it.
#pragma once

#include <string>

namespace tenfold::env {

/// The interpreter whose packages are used: TENFOLD_PYTHON, else the one this build was configured
/// with (the checkout's .venv).
std::string python_program();

/// Starts Python unless it runs already; it ends with the process (std::exit and return from main).
/// Leaves the global interpreter lock free: take py::gil_scoped_acquire around every use. Python
/// installs no signal handlers, its warnings become lines of our log, and the working folder is the
/// last place where it looks for modules. Throws Code::kUsage with the reason when it cannot start.
void start_python();

}  // namespace tenfold::env
