# 40 damaged checkpoints; by hand: fuzz_checkpoints.py --count 300.
add_test(NAME fuzz_checkpoints COMMAND ${TENFOLD_PYTHON} tests/faults/fuzz_checkpoints.py --count 40
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
set_tests_properties(fuzz_checkpoints PROPERTIES LABELS faults TIMEOUT 600 PROCESSORS 2
  ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT};TENFOLD_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};PYTHONPATH=${PROJECT_SOURCE_DIR}/tests/support;PYTHONDONTWRITEBYTECODE=1")
