add_executable(env_bench env_bench.cpp)
target_link_libraries(env_bench PRIVATE tenfold::env nlohmann_json::nlohmann_json tenfold_flags)
# ninja bench_env
add_custom_target(bench_env
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/env_bench.py" $<TARGET_FILE:env_bench> --record
  DEPENDS ddpg env_bench USES_TERMINAL VERBATIM)
