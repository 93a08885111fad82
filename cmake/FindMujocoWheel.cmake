# MuJoCo's C headers and library from its Python wheel: the very library that Python's `mujoco` runs,
# so results compare bit for bit.
execute_process(
  COMMAND "${TENFOLD_PYTHON}" -c
    "import importlib.util,pathlib;print(pathlib.Path(importlib.util.find_spec('mujoco').origin).parent)"
  OUTPUT_VARIABLE _mujoco_root ERROR_QUIET RESULT_VARIABLE _mujoco_rc OUTPUT_STRIP_TRAILING_WHITESPACE)
file(GLOB _mujoco_libraries "${_mujoco_root}/libmujoco.so.*")
list(GET _mujoco_libraries 0 MUJOCO_LIBRARY)
find_path(MUJOCO_INCLUDE_DIR mujoco/mujoco.h HINTS "${_mujoco_root}/include" NO_DEFAULT_PATH)
string(REGEX REPLACE ".*libmujoco\\.so\\." "" MujocoWheel_VERSION "${MUJOCO_LIBRARY}")
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(MujocoWheel REQUIRED_VARS MUJOCO_LIBRARY MUJOCO_INCLUDE_DIR
  VERSION_VAR MujocoWheel_VERSION
  REASON_FAILURE_MESSAGE "${TENFOLD_PYTHON} has no mujoco: run jobs/setup, or `pip install mujoco==4.0.0`")
if(MujocoWheel_FOUND AND NOT TARGET MujocoWheel::mujoco)
  add_library(MujocoWheel::mujoco SHARED IMPORTED)
  set_target_properties(MujocoWheel::mujoco PROPERTIES IMPORTED_LOCATION "${MUJOCO_LIBRARY}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${MUJOCO_INCLUDE_DIR}"
    INTERFACE_INCLUDE_DIRECTORIES "${MUJOCO_INCLUDE_DIR}")
endif()
