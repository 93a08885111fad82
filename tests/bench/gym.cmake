if(TENFOLD_PYTHON_TASKS)
  add_executable(gym_bench gym_bench.cpp)
  target_link_libraries(gym_bench PRIVATE tenfold::env tenfold_flags)
  # ninja bench_gym
  add_custom_target(bench_gym
    COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/gym_bench.py" $<TARGET_FILE:gym_bench>
    DEPENDS gym_bench USES_TERMINAL VERBATIM)
endif()
