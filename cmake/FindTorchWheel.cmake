# LibTorch from PyTorch's Python wheel: imported targets straight from its lib/ and include/, so that
# neither the wheel's own CMake config nor a CUDA toolkit is needed. Works for CPU and CUDA wheels;
# only the C++ parts are linked, never libtorch_python.
execute_process(
  COMMAND "${TENFOLD_PYTHON}" -c
    "import importlib.util,pathlib,re;p=pathlib.Path(importlib.util.find_spec('torch').origin).parent;print(p);print(re.search(r\"__version__ *(?::[^=]*)?= *['\\\"]([^'\\\"]+)\",(p/'version.py').read_text()).group(1))"
  OUTPUT_VARIABLE _torch_answer ERROR_VARIABLE _torch_error RESULT_VARIABLE _torch_rc
  OUTPUT_STRIP_TRAILING_WHITESPACE)
if(_torch_rc EQUAL 0)
  string(REPLACE "\n" ";" _torch_answer "${_torch_answer}")
  list(GET _torch_answer 0 TORCHWHEEL_ROOT)
  list(GET _torch_answer 1 TorchWheel_VERSION)
endif()
find_library(TORCH_LIBRARY torch HINTS "${TORCHWHEEL_ROOT}/lib" NO_DEFAULT_PATH)
find_library(TORCH_CPU_LIBRARY torch_cpu HINTS "${TORCHWHEEL_ROOT}/lib" NO_DEFAULT_PATH)
find_library(TORCH_C10_LIBRARY c10 HINTS "${TORCHWHEEL_ROOT}/lib" NO_DEFAULT_PATH)
find_library(TORCH_CUDA_LIBRARY torch_cuda HINTS "${TORCHWHEEL_ROOT}/lib" NO_DEFAULT_PATH)
find_library(TORCH_C10_CUDA_LIBRARY c10_cuda HINTS "${TORCHWHEEL_ROOT}/lib" NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TorchWheel
  REQUIRED_VARS TORCH_LIBRARY TORCH_CPU_LIBRARY TORCH_C10_LIBRARY VERSION_VAR TorchWheel_VERSION
  REASON_FAILURE_MESSAGE "${TENFOLD_PYTHON} has no torch: run jobs/setup, or `pip install torch==2.13.0` into the environment that TENFOLD_PYTHON names")
if(TorchWheel_FOUND AND NOT TARGET TorchWheel::torch)
  # The wheel's include/ also carries fmt, protobuf, pybind11 and more in versions that need not be
  # those that we link (its fmt 12 would hide Debian's fmt 9): offer torch's own folders only.
  set(_torch_own "${CMAKE_BINARY_DIR}/torch_include")
  file(MAKE_DIRECTORY "${_torch_own}")
  foreach(_folder ATen c10 caffe2 torch)
    file(REMOVE "${_torch_own}/${_folder}")
    file(CREATE_LINK "${TORCHWHEEL_ROOT}/include/${_folder}" "${_torch_own}/${_folder}" SYMBOLIC)
  endforeach()
  set(_torch_includes "${_torch_own}" "${_torch_own}/torch/csrc/api/include")
  add_library(TorchWheel::c10 SHARED IMPORTED)
  set_target_properties(TorchWheel::c10 PROPERTIES IMPORTED_LOCATION "${TORCH_C10_LIBRARY}")
  add_library(TorchWheel::torch_cpu SHARED IMPORTED)
  set_target_properties(TorchWheel::torch_cpu PROPERTIES IMPORTED_LOCATION "${TORCH_CPU_LIBRARY}")
  add_library(TorchWheel::torch SHARED IMPORTED)
  set_target_properties(TorchWheel::torch PROPERTIES IMPORTED_LOCATION "${TORCH_LIBRARY}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${_torch_includes}"
    INTERFACE_INCLUDE_DIRECTORIES "${_torch_includes}"
    # ATen/TensorOperators.h then brings the operators alone, not every function.
    INTERFACE_COMPILE_DEFINITIONS AT_PER_OPERATOR_HEADERS
    INTERFACE_LINK_LIBRARIES "TorchWheel::torch_cpu;TorchWheel::c10")
  set(TORCHWHEEL_CUDA FALSE)
  if(TORCH_CUDA_LIBRARY AND TORCH_C10_CUDA_LIBRARY)
    set(TORCHWHEEL_CUDA TRUE)
    # libtorch_cuda registers its kernels when it is loaded: nothing refers to it by symbol, so the
    # linker must be told to keep it.
    set_property(TARGET TorchWheel::torch APPEND PROPERTY INTERFACE_LINK_OPTIONS
      "-Wl,--no-as-needed,${TORCH_CUDA_LIBRARY},${TORCH_C10_CUDA_LIBRARY},--as-needed"
      "-Wl,-rpath-link,${TORCHWHEEL_ROOT}/lib" "-Wl,--allow-shlib-undefined")
  endif()
endif()
