# ninja bench_a3c_speed, bench_a3c_games, bench_a3c_peers, bench_a3c_updates: each rewrites its own section
# of docs/results/a3c.md.
add_executable(a3c_eager_bench a3c_eager_bench.cpp)
target_link_libraries(a3c_eager_bench PRIVATE tenfold::env TorchWheel::torch tenfold_flags)
foreach(bench a3c_parts_bench a3c_updates_bench)
  add_executable(${bench} ${bench}.cpp)
  target_link_libraries(${bench} PRIVATE tenfold_app_a3c nlohmann_json::nlohmann_json tenfold_flags)
endforeach()
foreach(script speed games peers updates)
  add_custom_target(bench_a3c_${script}
    COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/a3c_${script}.py" --record
    DEPENDS a3c a3c_eager_bench a3c_parts_bench a3c_updates_bench USES_TERMINAL VERBATIM)
endforeach()
