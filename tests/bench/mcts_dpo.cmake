# ninja bench_mcts_dpo_memory: rewrites its section of docs/results/mcts_dpo.md
add_custom_target(bench_mcts_dpo_memory
  COMMAND ${TENFOLD_BENCH_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/mcts_dpo_memory.py" --record
  DEPENDS mcts_dpo USES_TERMINAL VERBATIM)
