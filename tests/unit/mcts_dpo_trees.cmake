tenfold_test(unit_mcts_dpo_trees LABEL unit
  SOURCES mcts_dpo_trees_test.cpp
  DEPS tenfold_mcts_dpo_trees Hdf5Parallel::hdf5)
