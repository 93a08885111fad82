add_executable(ddpg_update_bench ddpg_update_bench.cpp)
target_link_libraries(ddpg_update_bench PRIVATE tenfold_app_ddpg nlohmann_json::nlohmann_json tenfold_flags)
# These and bench_env rewrite their own sections of docs/results/ddpg.md.
add_custom_target(bench_ddpg_update
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/ddpg_update.py" --record
  DEPENDS ddpg ddpg_update_bench USES_TERMINAL VERBATIM)
add_custom_target(bench_checkpoint
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/checkpoint.py" --record
  DEPENDS ddpg USES_TERMINAL VERBATIM)
# Its section is in docs/results/trust.md.
add_custom_target(bench_zero_memory
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/zero_memory.py" --record
  DEPENDS ddpg USES_TERMINAL VERBATIM)
