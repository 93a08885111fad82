# Precompiled headers: most of the time that LibTorch's and GoogleTest's users take to compile is spent on their
# headers. Nothing may rest on what one of these brings along: .ci/style reads the sources without them.

# tenfold_precompiled_set(NAME header ... [DEPS ...]): a set of headers, compiled once and used by other targets.
function(tenfold_precompiled_set name)
  cmake_parse_arguments(ARG "" "" "HEADERS;DEPS" ${ARGN})
  set(source "${CMAKE_BINARY_DIR}/precompiled/${name}.cpp")
  if(NOT EXISTS "${source}")
    file(WRITE "${source}" "")
  endif()
  add_library(${name} OBJECT "${source}")
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

# Whether a target links TorchWheel::torch, directly or through others.
function(tenfold_sees_torch target out)
  set(${out} FALSE PARENT_SCOPE)
  set(open ${target})
  set(seen "")
  while(open)
    list(POP_FRONT open each)
    if(each STREQUAL "TorchWheel::torch")
      set(${out} TRUE PARENT_SCOPE)
      return()
    endif()
    if(each IN_LIST seen OR NOT TARGET ${each})
      continue()
    endif()
    list(APPEND seen ${each})
    foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
      get_target_property(next ${each} ${property})
      if(next)
        list(APPEND open ${next})
      endif()
    endforeach()
  endwhile()
endfunction()

set(_torch_headers <ATen/Context.h> <ATen/TensorOperators.h> <ATen/core/Tensor.h> <fmt/core.h>)
set(_test_headers <gmock/gmock.h> <gtest/gtest.h> <fmt/core.h>)
tenfold_precompiled_set(tenfold_pch_torch HEADERS ${_torch_headers} DEPS TorchWheel::torch fmt::fmt tenfold_flags)
if(TENFOLD_TESTS)
  tenfold_precompiled_set(tenfold_pch_test HEADERS ${_test_headers}
    DEPS GTest::gtest GTest::gmock fmt::fmt tenfold_test_flags)
  tenfold_precompiled_set(tenfold_pch_torch_test HEADERS ${_test_headers} ${_torch_headers}
    DEPS GTest::gtest GTest::gmock TorchWheel::torch fmt::fmt tenfold_test_flags)
endif()

# For the library's and the applications' targets.
function(tenfold_precompile target)
  tenfold_sees_torch(${target} torch)
  if(torch)
    target_precompile_headers(${target} REUSE_FROM tenfold_pch_torch)
  endif()
endfunction()

# For what links GoogleTest.
function(tenfold_precompile_test target)
  tenfold_sees_torch(${target} torch)
  if(torch)
    target_precompile_headers(${target} REUSE_FROM tenfold_pch_torch_test)
  else()
    target_precompile_headers(${target} REUSE_FROM tenfold_pch_test)
  endif()
endfunction()
