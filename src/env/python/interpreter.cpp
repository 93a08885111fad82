#include "env/python/interpreter.hpp"

#include <pybind11/embed.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.hpp"
#include "base/log.hpp"

namespace tenfold::env {

namespace py = pybind11;
using base::Code;
using base::Error;

namespace {

PyThreadState* main_state = nullptr;

void end_python() {
  PyEval_RestoreThread(main_state);
  py::finalize_interpreter();
}

Error cannot_start(const std::string& program, const std::string& reason) {
  return {Code::kUsage,
          fmt::format("Python {}.{} cannot start with {}: {}", PY_MAJOR_VERSION, PY_MINOR_VERSION,
                      program, reason),
          fmt::format("Run jobs/setup, or set TENFOLD_PYTHON to a Python {}.{}", PY_MAJOR_VERSION,
                      PY_MINOR_VERSION)};
}

void configure(PyConfig& config, const std::string& program) {
  config.install_signal_handlers = 0;  // SIGINT and SIGTERM are comm's
  config.parse_argv = 0;
  for (wchar_t** field : {&config.program_name, &config.executable}) {
    const PyStatus status = PyConfig_SetBytesString(&config, field, program.c_str());
    if (PyStatus_Exception(status) != 0) throw cannot_start(program, status.err_msg);
  }
}

}  // namespace

std::string python_program() {
  const char* set = std::getenv("TENFOLD_PYTHON");
  return set != nullptr && *set != '\0' ? set : TENFOLD_PYTHON_PROGRAM;
}

void start_python() {
  if (Py_IsInitialized() != 0) return;
  const std::string program = python_program();
  if (!std::filesystem::is_regular_file(program)) throw cannot_start(program, "no such file");
  // NumPy's OpenBLAS would start a thread per core on every rank.
  setenv("OPENBLAS_NUM_THREADS", "1", 0);
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  try {
    configure(config, program);
    py::initialize_interpreter(&config, 0, nullptr, false);  // also clears config
  } catch (const std::runtime_error& error) {
    throw cannot_start(program, error.what());
  }
  py::module_::import("sys").attr("path").attr("append")(std::filesystem::current_path().string());
  main_state = PyEval_SaveThread();
  std::atexit(end_python);
}

}  // namespace tenfold::env
