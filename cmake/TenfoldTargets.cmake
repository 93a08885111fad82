# tenfold_module, tenfold_app, tenfold_test, tenfold_mpi_test: one line per target in the tree.

include(GNUInstallDirs)

# tenfold_module(NAME SOURCES a.cpp ... DEPS tenfold::base MPI::MPI_CXX ...)
# Headers are included as "module/file.hpp" from everywhere.
function(tenfold_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_SOURCES)
    add_library(tenfold_${name} STATIC ${ARG_SOURCES})
    target_include_directories(tenfold_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(tenfold_${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS} tenfold_flags)
  else()
    add_library(tenfold_${name} INTERFACE)
    target_include_directories(tenfold_${name} INTERFACE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(tenfold_${name} INTERFACE ${ARG_DEPS})
  endif()
  add_library(tenfold::${name} ALIAS tenfold_${name})
endfunction()

# tenfold_app(NAME SOURCES ... DEPS ...): everything but main.cpp is also a library, tenfold_app_NAME,
# so that tests reach the family's own pieces.
function(tenfold_app name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(tenfold_app_${name} STATIC ${ARG_SOURCES})
  target_include_directories(tenfold_app_${name} PUBLIC "${PROJECT_SOURCE_DIR}/apps")
  target_link_libraries(tenfold_app_${name} PUBLIC ${ARG_DEPS} PRIVATE tenfold_flags)
  add_executable(${name} main.cpp)
  target_link_libraries(${name} PRIVATE tenfold_app_${name} tenfold_flags)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

set(TENFOLD_TEST_ENVIRONMENT
  "OMP_NUM_THREADS=1;OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_btl_base_warn_component_unused=0")

# tenfold_test(NAME LABEL unit SOURCES ... DEPS ... [WORLD 1 2 4]): a GoogleTest binary. Without
# WORLD it runs alone; with it, once under mpirun for each world size, as NAME.npN.
function(tenfold_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPS;WORLD" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_compile_definitions(${name} PRIVATE
    TENFOLD_SOURCE_DIR="${PROJECT_SOURCE_DIR}" TENFOLD_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  if(ARG_WORLD)
    target_link_libraries(${name} PRIVATE ${ARG_DEPS} tenfold_mpi_gtest_main GTest::gmock tenfold_flags)
    foreach(np ${ARG_WORLD})
      add_test(NAME ${name}.np${np}
        COMMAND ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none -n ${np} $<TARGET_FILE:${name}>)
      set_tests_properties(${name}.np${np} PROPERTIES LABELS "${ARG_LABEL};np${np}" PROCESSORS ${np}
        TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT}")
    endforeach()
  else()
    target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gtest_main GTest::gmock tenfold_flags)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT}
      ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT}")
  endif()
endfunction()
