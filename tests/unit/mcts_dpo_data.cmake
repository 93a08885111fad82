tenfold_test(unit_mcts_dpo_data LABEL unit
  SOURCES mcts_dpo_answers_test.cpp mcts_dpo_chain_test.cpp mcts_dpo_commonsense_test.cpp mcts_dpo_reader_test.cpp mcts_dpo_steps_test.cpp
  DEPS tenfold_mcts_dpo_data)
