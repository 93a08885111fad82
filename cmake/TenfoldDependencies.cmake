# Every outside package, in one place. What comes from a Python wheel is found by asking the Python
# of the checkout's own environment (.venv), made by jobs/setup.

find_program(TENFOLD_PYTHON NAMES python3 HINTS "${PROJECT_SOURCE_DIR}/.venv/bin" NO_DEFAULT_PATH)
if(NOT TENFOLD_PYTHON)
  find_program(TENFOLD_PYTHON NAMES python3 REQUIRED)
endif()

find_package(MPI REQUIRED COMPONENTS C CXX)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(XxHash REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Hdf5Parallel REQUIRED)
find_package(KokkosAny REQUIRED)
find_package(TorchWheel REQUIRED)
find_package(MujocoWheel REQUIRED)
find_package(muparser 2.3 REQUIRED CONFIG)
find_package(Pcre2 10.40 REQUIRED)
find_package(SentencePiece REQUIRED)
find_package(Utf8proc REQUIRED)
if(TENFOLD_TESTS)
  find_package(GTest REQUIRED)
endif()

# Gymnasium's tasks inside our programs, and ours from Python: pybind11 (Debian's, or the wheel's) and the
# headers and library of the Python that the checkout uses.
if(NOT DEFINED TENFOLD_PYTHON_TASKS OR TENFOLD_PYTHON_TASKS)
  set(Python_EXECUTABLE "${TENFOLD_PYTHON}")
  find_package(Python COMPONENTS Interpreter Development)
  execute_process(COMMAND "${TENFOLD_PYTHON}" -m pybind11 --cmakedir
    OUTPUT_VARIABLE _pybind11_wheel ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(Python_Development_FOUND)
    find_package(pybind11 2.10 CONFIG QUIET HINTS "${_pybind11_wheel}")
  endif()
  if(pybind11_FOUND)
    option(TENFOLD_PYTHON_TASKS "Gymnasium's tasks in our programs (gym:ID), our tasks in Python (tenfold_gym)" ON)
  elseif(TENFOLD_PYTHON_TASKS)
    message(FATAL_ERROR "TENFOLD_PYTHON_TASKS needs pybind11 (>= 2.10) and the headers and library of "
      "${TENFOLD_PYTHON}: on Debian, apt-get install pybind11-dev python3-dev")
  endif()
endif()
if(NOT TENFOLD_PYTHON_TASKS)
  message(STATUS "Without Python tasks (gym:ID, tenfold_gym): TENFOLD_PYTHON_TASKS is off, or pybind11-dev "
    "(>= 2.10) or python3-dev is missing")
endif()
