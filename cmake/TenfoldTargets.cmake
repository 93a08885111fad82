# tenfold_module, tenfold_app, tenfold_film, tenfold_test, tenfold_mpi_test: one line per target in the tree.

include(GNUInstallDirs)

set(TENFOLD_TEST_ENVIRONMENT
  "OMP_NUM_THREADS=1;OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_btl_base_warn_component_unused=0;OMPI_MCA_mpi_yield_when_idle=1")

# tenfold_module(NAME SOURCES a.cpp ... DEPS tenfold::base MPI::MPI_CXX ... [PLAIN] [MOVABLE])
# Headers are included as "module/file.hpp" from everywhere. PLAIN: no precompiled headers. MOVABLE: its objects,
# tenfold_NAME_objects, can be part of a shared library too.
function(tenfold_module name)
  cmake_parse_arguments(ARG "PLAIN;MOVABLE" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_MOVABLE)
    add_library(tenfold_${name}_objects OBJECT ${ARG_SOURCES})
    target_include_directories(tenfold_${name}_objects PRIVATE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(tenfold_${name}_objects PRIVATE ${ARG_DEPS} ${ARG_PRIVATE_DEPS} tenfold_flags)
    set_target_properties(tenfold_${name}_objects PROPERTIES POSITION_INDEPENDENT_CODE ON)
    # As fast as a program's own: functions may still be inlined within their file.
    target_compile_options(tenfold_${name}_objects PRIVATE -fno-semantic-interposition)
    set(ARG_SOURCES $<TARGET_OBJECTS:tenfold_${name}_objects>)
  endif()
  if(ARG_SOURCES)
    add_library(tenfold_${name} STATIC ${ARG_SOURCES})
    target_include_directories(tenfold_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(tenfold_${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS} tenfold_flags)
    if(NOT ARG_PLAIN)
      tenfold_precompile(tenfold_${name})
    endif()
  else()
    add_library(tenfold_${name} INTERFACE)
    target_include_directories(tenfold_${name} INTERFACE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(tenfold_${name} INTERFACE ${ARG_DEPS})
  endif()
  add_library(tenfold::${name} ALIAS tenfold_${name})
endfunction()

# tenfold_app_texts(NAME "how it prints its manual page" "how its completion"): both are written by the
# program itself, below share/ of the build, and installed.
function(tenfold_app_texts name man completion)
  set(share "${CMAKE_BINARY_DIR}/share")
  set(texts "${share}/man/man1/${name}.1" "${share}/bash-completion/completions/${name}")
  add_custom_command(OUTPUT ${texts}
    COMMAND ${CMAKE_COMMAND} -E env ${TENFOLD_TEST_ENVIRONMENT}
      ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${name}> -DNAME=${name} -DDESTINATION=${share}
      -DMAN=${man} -DCOMPLETION=${completion} -P "${PROJECT_SOURCE_DIR}/cmake/WriteAppTexts.cmake"
    DEPENDS ${name} "${PROJECT_SOURCE_DIR}/cmake/WriteAppTexts.cmake" VERBATIM)
  add_custom_target(${name}_texts ALL DEPENDS ${texts})
  install(FILES "${share}/man/man1/${name}.1" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES "${share}/bash-completion/completions/${name}"
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endfunction()

# tenfold_film(NAME): the program NAME_film, which `tenfold show --video` starts; from film/ of the application's folder.
function(tenfold_film name)
  add_executable(${name}_film film/film_main.cpp film/film.cpp)
  target_link_libraries(${name}_film PRIVATE tenfold_app_${name} tenfold::film tenfold_flags)
  set_target_properties(${name}_film PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON
    INSTALL_RPATH "$<TARGET_PROPERTY:${name},INSTALL_RPATH>")
  install(TARGETS ${name}_film RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# tenfold_app(NAME SOURCES ... DEPS ... [MAN word] [COMPLETION word]): everything but main.cpp is also a
# library, tenfold_app_NAME, so that tests reach the family's own pieces. MAN and COMPLETION: how the
# program is asked for its manual page and completion, where it is not by the option table's flags.
function(tenfold_app name)
  cmake_parse_arguments(ARG "" "MAN;COMPLETION" "SOURCES;DEPS" ${ARGN})
  add_library(tenfold_app_${name} STATIC ${ARG_SOURCES})
  target_include_directories(tenfold_app_${name} PUBLIC "${PROJECT_SOURCE_DIR}/apps")
  target_link_libraries(tenfold_app_${name} PUBLIC ${ARG_DEPS} PRIVATE tenfold_flags)
  tenfold_precompile(tenfold_app_${name})
  add_executable(${name} main.cpp)
  target_link_libraries(${name} PRIVATE tenfold_app_${name} tenfold_flags)
  # LibTorch and MuJoCo lie in wheels, where no loader looks. CMake's own list leaves out folders
  # below the checkout, where jobs/setup puts them.
  cmake_path(GET MUJOCO_LIBRARY PARENT_PATH mujoco)
  set_target_properties(${name} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON
    INSTALL_RPATH "${TORCHWHEEL_ROOT}/lib;${mujoco}")
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  if(NOT ARG_MAN)
    set(ARG_MAN --print-man)
  endif()
  if(NOT ARG_COMPLETION)
    set(ARG_COMPLETION --completion)
  endif()
  tenfold_app_texts(${name} ${ARG_MAN} ${ARG_COMPLETION})
endfunction()

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
    target_link_libraries(${name} PRIVATE ${ARG_DEPS} tenfold_mpi_gtest_main GTest::gmock tenfold_test_flags)
    foreach(np ${ARG_WORLD})
      add_test(NAME ${name}.np${np}
        COMMAND ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none -n ${np} $<TARGET_FILE:${name}>)
      set_tests_properties(${name}.np${np} PROPERTIES LABELS "${ARG_LABEL};np${np}" PROCESSORS ${np}
        TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT}")
    endforeach()
  else()
    target_link_libraries(${name} PRIVATE ${ARG_DEPS} GTest::gtest_main GTest::gmock tenfold_test_flags)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT}
      ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT}")
  endif()
  tenfold_precompile_test(${name})
endfunction()
