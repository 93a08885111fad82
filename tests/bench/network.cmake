# mpirun -n 2 build/release/bin/bench_network
add_executable(bench_network mpi_network_bench.cpp)
target_link_libraries(bench_network PRIVATE MPI::MPI_CXX tenfold_flags)
# ninja bench_prediction: rewrites its section of docs/results/trust.md
add_custom_target(bench_prediction
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/prediction.py" --record
  DEPENDS ddpg tenfold bench_network USES_TERMINAL VERBATIM)
