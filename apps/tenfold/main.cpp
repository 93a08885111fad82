// The offline tool: looks at runs, checkpoints and the machine. Starts no MPI.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "tenfold/commands.hpp"

int main(int argc, char** argv) {
  using tenfold::base::Code;
  tenfold::base::log_configure(0, true, tenfold::base::LogLevel::kWarning);
  try {
    return static_cast<int>(
        tenfold::tool::run_command(std::vector<std::string>(argv + 1, argv + argc)));
  } catch (const tenfold::base::Error& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "tenfold: error[%d]: %s\n", static_cast<int>(error.code()), error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "tenfold: error[%d]: %s\n", static_cast<int>(Code::kBug), error.what());
    return static_cast<int>(Code::kBug);
  }
}
