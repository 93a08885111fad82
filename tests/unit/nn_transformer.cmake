tenfold_test(unit_nn_transformer LABEL unit
  SOURCES nn_transformer_test.cpp nn_transformer_plan_test.cpp nn_activation_plan_test.cpp kokkos_environment.cpp
  DEPS tenfold::nn)
