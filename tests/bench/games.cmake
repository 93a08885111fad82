add_executable(games_bench games_bench.cpp)
target_link_libraries(games_bench PRIVATE tenfold::env tenfold_flags)
# The header alone: whoever measures games need not build applications.
target_include_directories(games_bench PRIVATE "${PROJECT_BINARY_DIR}/src/train/include")
# ninja bench_games
add_custom_target(bench_games
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/games_bench.py" $<TARGET_FILE:games_bench> --record
  DEPENDS games_bench USES_TERMINAL VERBATIM)
