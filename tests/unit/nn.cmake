tenfold_test(unit_nn LABEL unit
  SOURCES nn_parameter_test.cpp nn_shard_invariance_test.cpp nn_mlp_pass_test.cpp nn_engines_test.cpp
    nn_rollout_test.cpp nn_rollout_state_test.cpp counted_new.cpp kokkos_environment.cpp
  DEPS tenfold::nn)
