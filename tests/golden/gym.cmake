if(TENFOLD_PYTHON_TASKS)
  tenfold_pytest(golden_tenfold_gym LABEL golden FILE tests/golden/test_tenfold_gym.py)
  # The package under test lies in the build folder.
  get_test_property(golden_tenfold_gym ENVIRONMENT environment)
  list(TRANSFORM environment REPLACE "^PYTHONPATH=" "PYTHONPATH=${CMAKE_BINARY_DIR}/python:")
  set_tests_properties(golden_tenfold_gym PROPERTIES ENVIRONMENT "${environment}")
endif()
