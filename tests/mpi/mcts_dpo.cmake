tenfold_test(mpi_mcts_dpo LABEL mpi WORLD 1 2 4
  SOURCES mcts_dpo_learner_test.cpp
  DEPS tenfold::mcts_dpo_learning)
target_compile_definitions(mpi_mcts_dpo PRIVATE AT_PER_OPERATOR_HEADERS)
