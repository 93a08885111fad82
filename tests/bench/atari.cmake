# ninja bench_atari, ninja bench_atari_learning
if(TENFOLD_PYTHON_TASKS)
  add_custom_target(bench_atari
    COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/atari_bench.py" $<TARGET_FILE:games_bench> --record
    DEPENDS games_bench USES_TERMINAL VERBATIM)
  add_custom_target(bench_atari_learning
    COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/atari_bench.py" --learning --record
    DEPENDS a3c USES_TERMINAL VERBATIM)
endif()
