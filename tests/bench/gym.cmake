if(TENFOLD_PYTHON_TASKS)
  add_executable(gym_bench gym_bench.cpp)
  target_link_libraries(gym_bench PRIVATE tenfold::env tenfold_flags)
  # ninja bench_gym, ninja bench_ddpg_peers: install peers into build/peers, rewrite their sections of
  # docs/results/ddpg.md
  add_custom_target(bench_gym
    COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/gym_bench.py" $<TARGET_FILE:gym_bench> --record
    DEPENDS ddpg gym_bench USES_TERMINAL VERBATIM)
  add_custom_target(bench_ddpg_peers
    COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/ddpg_peers.py" --record
    DEPENDS ddpg USES_TERMINAL VERBATIM)
endif()
