tenfold_test(golden_mcts_dpo LABEL golden
  SOURCES preference_golden_test.cpp ${PROJECT_SOURCE_DIR}/tests/unit/kokkos_environment.cpp
  DEPS tenfold::mcts_dpo_learning nlohmann_json::nlohmann_json)
