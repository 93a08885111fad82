tenfold_test(unit_a3c LABEL unit
  SOURCES a3c_config_test.cpp a3c_gate_test.cpp a3c_human_scores_test.cpp a3c_life_loss_test.cpp
    a3c_networks_test.cpp a3c_optimizer_test.cpp a3c_schedules_test.cpp
    kokkos_environment.cpp
  DEPS tenfold_app_a3c)
# ATen/TensorOperators.h then brings the operators alone, not every function.
target_compile_definitions(unit_a3c PRIVATE AT_PER_OPERATOR_HEADERS)
