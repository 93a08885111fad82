# Spread over ranks, so that PyTorch's whole minibatch is held against sums over ranks as well.
tenfold_test(golden_ddpg LABEL golden WORLD 1 2 4
  SOURCES ddpg_golden_test.cpp ${PROJECT_SOURCE_DIR}/tests/unit/kokkos_environment.cpp
  DEPS tenfold_app_ddpg nlohmann_json::nlohmann_json)
