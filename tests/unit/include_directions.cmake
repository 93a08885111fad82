add_test(NAME include_directions
  COMMAND ${TENFOLD_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/include_directions.py" "${PROJECT_SOURCE_DIR}")
add_test(NAME include_directions.self_test
  COMMAND ${TENFOLD_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/include_directions.py" --test)
set_tests_properties(include_directions include_directions.self_test PROPERTIES LABELS unit TIMEOUT 60)
