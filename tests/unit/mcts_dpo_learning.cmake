tenfold_test(unit_mcts_dpo_learning LABEL unit
  SOURCES mcts_dpo_loss_test.cpp mcts_dpo_theory_test.cpp kokkos_environment.cpp
  DEPS tenfold::mcts_dpo_learning)
