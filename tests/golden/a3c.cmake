tenfold_test(golden_a3c LABEL golden
  SOURCES a3c_golden_test.cpp a3c_tabular_test.cpp ${PROJECT_SOURCE_DIR}/tests/unit/kokkos_environment.cpp
  DEPS tenfold_app_a3c nlohmann_json::nlohmann_json)
