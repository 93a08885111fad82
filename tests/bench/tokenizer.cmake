add_executable(tokenizer_bench tokenizer_bench.cpp)
target_link_libraries(tokenizer_bench PRIVATE tenfold::dataset nlohmann_json::nlohmann_json tenfold_flags)
# ninja bench_tokenizer: rewrites its section of docs/results/mcts_dpo.md
add_custom_target(bench_tokenizer
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/tokenizer.py" $<TARGET_FILE:tokenizer_bench> --record
  DEPENDS tokenizer_bench USES_TERMINAL VERBATIM)
