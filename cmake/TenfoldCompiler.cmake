# Warnings, sanitizers, ccache: everything that says how our own code is compiled.

add_library(tenfold_warnings INTERFACE)
target_compile_options(tenfold_warnings INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
  # One rounding per operation: results must not depend on which code path of a
  # vectorised loop a value falls into (docs/architecture.md, "Same answer on any number of ranks").
  -ffp-contract=off)
add_library(tenfold_flags INTERFACE)
target_link_libraries(tenfold_flags INTERFACE tenfold_warnings)
target_compile_options(tenfold_flags INTERFACE $<$<CONFIG:Release>:-O3>)
# Tests run for less time than they take to compile.
add_library(tenfold_test_flags INTERFACE)
target_link_libraries(tenfold_test_flags INTERFACE tenfold_warnings)
target_compile_options(tenfold_test_flags INTERFACE $<$<CONFIG:Release>:-O1>)
# GCC 12 sees overlapping and endless copies inside std::string where there are none (GCC bug 105651), and forgets
# for what was precompiled that it is a system header.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(tenfold_warnings INTERFACE -Wno-restrict -Wno-stringop-overflow
    -Wno-array-bounds)
endif()
if(TENFOLD_WERROR)
  target_compile_options(tenfold_warnings INTERFACE -Werror)
endif()
if(TENFOLD_SANITIZE)
  target_compile_options(tenfold_warnings INTERFACE -fsanitize=address,undefined -fno-omit-frame-pointer)
  target_link_options(tenfold_warnings INTERFACE -fsanitize=address,undefined)
endif()

find_program(TENFOLD_CCACHE ccache)
if(TENFOLD_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without these, ccache never hits a file that uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
    "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime"
    "${TENFOLD_CCACHE}")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(tenfold_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  endif()
endif()
