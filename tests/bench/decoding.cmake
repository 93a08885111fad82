add_executable(decoding_bench decoding_bench.cpp)
target_link_libraries(decoding_bench PRIVATE tenfold::nn tenfold_flags)
# ninja bench_decoding: rewrites its section of docs/results/mcts_dpo.md
add_custom_target(bench_decoding
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/decoding.py" $<TARGET_FILE:decoding_bench> --record
  DEPENDS mcts_dpo decoding_bench USES_TERMINAL VERBATIM)
