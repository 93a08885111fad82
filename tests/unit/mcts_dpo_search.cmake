tenfold_test(unit_mcts_dpo_search LABEL unit
  SOURCES mcts_dpo_expander_test.cpp mcts_dpo_pairs_test.cpp mcts_dpo_policy_test.cpp mcts_dpo_prompts_test.cpp mcts_dpo_test_time_test.cpp kokkos_environment.cpp
  DEPS tenfold_app_mcts_dpo)
