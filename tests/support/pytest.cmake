# tenfold_pytest(NAME LABEL cli FILE tests/cli/test_x.py [TIMEOUT s] [PROCESSORS n] [AT_ONCE n]): a pytest
# file as a CTest, so that `ctest -L label` finds it. AT_ONCE: tests at a time, where they mostly wait.
function(tenfold_pytest name)
  cmake_parse_arguments(ARG "" "LABEL;FILE;TIMEOUT;PROCESSORS;AT_ONCE" "" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(NOT ARG_PROCESSORS)
    set(ARG_PROCESSORS 2)
  endif()
  set(workers)
  if(ARG_AT_ONCE)
    set(workers -n ${ARG_AT_ONCE} --dist worksteal)
  endif()
  add_test(NAME ${name} COMMAND ${TENFOLD_PYTHON} -m pytest -q -p no:cacheprovider ${workers} "${ARG_FILE}"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT}
    PROCESSORS ${ARG_PROCESSORS}
    ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT};TENFOLD_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};PYTHONPATH=${PROJECT_SOURCE_DIR}/tests/support:${PROJECT_SOURCE_DIR}/analysis;PYTHONDONTWRITEBYTECODE=1")
endfunction()
