# GoogleTest's main for programs that run under mpirun; tenfold_test(... WORLD ...) links it by name.
add_library(tenfold_mpi_gtest_main STATIC mpi_gtest_main.cpp)
target_link_libraries(tenfold_mpi_gtest_main PUBLIC GTest::gtest tenfold::comm PRIVATE tenfold_flags)
