// What stands in for python/gym_batch.cpp in a program without an embedded Python.
#include "base/error.hpp"
#include "base/text.hpp"
#include "env/gym_task.hpp"

namespace tenfold::env {

bool is_gym_task(const std::string& task) {
  return task.rfind("gym:", 0) == 0;
}

std::unique_ptr<BatchEnv> make_gym_batch(const std::string& task, std::size_t, const EnvOptions&) {
  throw base::Error(
      base::Code::kUsage,
      fmt::format("task {}: this program was built without Python tasks", base::printable(task)),
      "Install pybind11-dev and python3-dev, configure with -DTENFOLD_PYTHON_TASKS=ON and build "
      "again");
}

}  // namespace tenfold::env
