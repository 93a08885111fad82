// What stands in for python/atari_batch.cpp in a program without an embedded Python.
#include "base/error.hpp"
#include "base/text.hpp"
#include "env/atari_task.hpp"

namespace tenfold::env {

std::unique_ptr<BatchEnv> make_atari_batch(const std::string& task, std::size_t,
                                           const EnvOptions&) {
  throw base::Error(
      base::Code::kUsage,
      fmt::format("task {}: this program was built without Python tasks", base::printable(task)),
      "Install pybind11-dev and python3-dev, configure with -DTENFOLD_PYTHON_TASKS=ON, build again "
      "and install ale-py with pip");
}

}  // namespace tenfold::env
