tenfold_test(a3c_test LABEL mpi WORLD 1 2 4
  SOURCES a3c_async_test.cpp a3c_evaluation_test.cpp a3c_order_test.cpp a3c_sharing_test.cpp
    ${PROJECT_SOURCE_DIR}/tests/unit/kokkos_environment.cpp
  DEPS tenfold_app_a3c)
tenfold_pytest(a3c_runs LABEL mpi FILE tests/mpi/test_a3c_runs.py TIMEOUT 200)
