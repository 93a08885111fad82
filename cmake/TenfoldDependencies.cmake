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
find_package(Hdf5Parallel REQUIRED)
find_package(KokkosAny REQUIRED)
find_package(TorchWheel REQUIRED)
find_package(MujocoWheel REQUIRED)
if(TENFOLD_TESTS)
  find_package(GTest REQUIRED)
endif()
