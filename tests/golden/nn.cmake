tenfold_test(golden_nn LABEL golden
  SOURCES nn_golden_test.cpp nn_autograd_test.cpp ${PROJECT_SOURCE_DIR}/tests/unit/kokkos_environment.cpp
  DEPS tenfold::nn nlohmann_json::nlohmann_json)
