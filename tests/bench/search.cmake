add_executable(search_bench search_bench.cpp)
target_link_libraries(search_bench PRIVATE tenfold::search tenfold_flags)
# ninja bench_search: rewrites its section of docs/results/search.md
add_custom_target(bench_search
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/search.py" $<TARGET_FILE:search_bench> --record
  DEPENDS search_bench USES_TERMINAL VERBATIM)
