tenfold_test(train_test LABEL mpi WORLD 1 2 3 4
  SOURCES train_flat_adam_test.cpp train_gradient_reducer_test.cpp train_metrics_test.cpp train_nonfinite_test.cpp
    train_replica_check_test.cpp train_roles_test.cpp train_same_start_test.cpp train_seed_sweep_test.cpp
    train_shared_tensors_test.cpp train_stop_policy_test.cpp train_two_levels_test.cpp
    ${PROJECT_SOURCE_DIR}/tests/unit/kokkos_environment.cpp
  DEPS tenfold::train)
