tenfold_pytest(mcts_dpo_bad_input LABEL cli FILE tests/cli/test_mcts_dpo_bad_input.py TIMEOUT 400 AT_ONCE 4)
tenfold_pytest(mcts_dpo_texts LABEL cli FILE tests/cli/test_mcts_dpo_texts.py TIMEOUT 200)
