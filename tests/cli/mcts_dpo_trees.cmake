tenfold_pytest(mcts_dpo_trees LABEL cli FILE tests/cli/test_mcts_dpo_trees.py PROCESSORS 1)
