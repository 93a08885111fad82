# Included by src/env/CMakeLists.txt. Sets what python/ adds to tenfold_env.
if(TENFOLD_PYTHON_TASKS)
  file(READ python/gym_bridge.py TENFOLD_GYM_BRIDGE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/python/gym_bridge.py")
  configure_file(python/gym_bridge_text.hpp.in python/gym_bridge_text.hpp @ONLY)
  target_sources(tenfold_env PRIVATE python/ale.cpp python/atari_batch.cpp
    python/gym_batch.cpp python/interpreter.cpp)
  target_include_directories(tenfold_env PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/python")
  set_property(SOURCE python/interpreter.cpp APPEND PROPERTY
    COMPILE_DEFINITIONS "TENFOLD_PYTHON_PROGRAM=\"${TENFOLD_PYTHON}\"")
  target_link_libraries(tenfold_env PRIVATE pybind11::embed)
else()
  target_sources(tenfold_env PRIVATE atari_task_absent.cpp gym_task_absent.cpp)
endif()

# The package tenfold_gym: build/<preset>/python is what to name in PYTHONPATH. The native part holds two modules
# without the embedded Python.
if(TENFOLD_PYTHON_TASKS)
  set(package "${CMAKE_BINARY_DIR}/python/tenfold_gym")
  pybind11_add_module(tenfold_gym_native MODULE NO_EXTRAS
    python/tenfold_gym/native.cpp atari_task_absent.cpp gym_task_absent.cpp
    $<TARGET_OBJECTS:tenfold_base_objects> $<TARGET_OBJECTS:tenfold_env_objects>)
  target_include_directories(tenfold_gym_native PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(tenfold_gym_native PRIVATE
    fmt::fmt XxHash::XxHash OpenSSL::Crypto MujocoWheel::mujoco muparser::muparser tenfold_flags)
  cmake_path(GET MUJOCO_LIBRARY PARENT_PATH mujoco_folder)
  set_target_properties(tenfold_gym_native PROPERTIES OUTPUT_NAME _native LIBRARY_OUTPUT_DIRECTORY "${package}"
    INSTALL_RPATH "${mujoco_folder}")
  set(destination "${CMAKE_INSTALL_LIBDIR}/tenfold/python/tenfold_gym")
  install(TARGETS tenfold_gym_native LIBRARY DESTINATION "${destination}")
  foreach(file __init__.py environments.py)
    configure_file(python/tenfold_gym/${file} "${package}/${file}" COPYONLY)
    install(FILES python/tenfold_gym/${file} DESTINATION "${destination}")
  endforeach()
endif()
