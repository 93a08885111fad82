tenfold_pytest(mcts_dpo_faults LABEL faults FILE tests/faults/test_mcts_dpo.py TIMEOUT 400)
