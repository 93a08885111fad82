// The offline tool: looks at runs, checkpoints and the machine. Starts no MPI.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "tenfold/commands.hpp"

using tenfold::base::Code;
using tenfold::base::print_fatal;

int main(int argc, char** argv) {
  tenfold::base::log_configure(0, true, tenfold::base::LogLevel::kWarning);
  try {
    const Code code = tenfold::tool::run_command(std::vector<std::string>(argv + 1, argv + argc));
    // A script must not take half a list for a whole one because its disk was full.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      const std::string reason = std::strerror(errno);
      return print_fatal(static_cast<int>(Code::kIo),
                         "cannot write to the standard output: " + reason);
    }
    return static_cast<int>(code);
  } catch (const tenfold::base::Error& error) {
    return print_fatal(static_cast<int>(error.code()), error.what());
  } catch (const std::exception& error) {
    return print_fatal(static_cast<int>(Code::kBug), error.what());
  }
}
