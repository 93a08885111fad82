add_executable(rollout_bench rollout_bench.cpp)
target_link_libraries(rollout_bench PRIVATE tenfold::nn tenfold_flags)
# ninja bench_rollout: rewrites its section of docs/results/a3c.md
add_custom_target(bench_rollout
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/rollout.py" $<TARGET_FILE:rollout_bench> --record
  DEPENDS ddpg rollout_bench USES_TERMINAL VERBATIM)
