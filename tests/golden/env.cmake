tenfold_test(golden_env LABEL golden
  SOURCES env_golden_test.cpp
  DEPS tenfold::env nlohmann_json::nlohmann_json)
# The bits of sin and cos depend on the machine's C library and processor, so "bit for bit" is asked of
# a file that Python's mujoco writes here and now; the recorded env.json must agree to 1e-8.
set(env_reference "${CMAKE_CURRENT_BINARY_DIR}/env_here.json")
add_test(NAME golden_env_reference
  COMMAND ${TENFOLD_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/make_env.py" --out "${env_reference}")
set_tests_properties(golden_env_reference PROPERTIES LABELS golden FIXTURES_SETUP env_reference TIMEOUT 60)
set_tests_properties(golden_env PROPERTIES FIXTURES_REQUIRED env_reference
  ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT};TENFOLD_ENV_REFERENCE=${env_reference}")
