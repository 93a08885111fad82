tenfold_test(comm_test LABEL mpi WORLD 1 2 3 4 SOURCES comm_test.cpp comm_agree_test.cpp comm_shared_arena_test.cpp comm_shared_counters_test.cpp
    comm_waiting_test.cpp
  DEPS tenfold::comm)

# What a user sees when a rank fails alone or nothing moves, and what the tests' own main does then.
add_executable(comm_driver comm_driver.cpp)
target_link_libraries(comm_driver PRIVATE tenfold::comm tenfold_flags)
add_executable(comm_main_probe comm_main_probe.cpp)
target_link_libraries(comm_main_probe PRIVATE tenfold_mpi_gtest_main tenfold_flags)
tenfold_pytest(comm_failures LABEL mpi FILE tests/mpi/test_comm_failures.py TIMEOUT 120)
