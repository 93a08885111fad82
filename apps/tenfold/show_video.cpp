#include "tenfold/show_video.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "base/text.hpp"
#include "tenfold/app_program.hpp"
#include "tenfold/run_overview.hpp"

namespace tenfold::tool {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

base::Code show_video(const Arguments& arguments) {
  const fs::path run = arguments.operands.front();
  const std::string app = app_of(read_manifest_of(run));
  const std::string episodes = std::to_string(arguments.whole("episodes", 3, 1, 1000));
  const std::string file = arguments.text("output", (run / "film.mp4").string());
  const fs::path program = program_beside(app + "_film");
  std::fflush(stdout);
  ::execlp(program.c_str(), program.c_str(), run.c_str(), episodes.c_str(), file.c_str(), nullptr);
  throw Error(Code::kUsage,
              fmt::format("runs of {} cannot be filmed here: {} does not start ({})", app,
                          program.string(), std::strerror(errno)),
              "It is built with the application; not every application has one");
}

}  // namespace tenfold::tool
