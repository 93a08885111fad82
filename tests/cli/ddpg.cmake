tenfold_pytest(ddpg_bad_input LABEL cli FILE tests/cli/test_ddpg_bad_input.py TIMEOUT 400 AT_ONCE 4)
tenfold_pytest(ddpg_texts LABEL cli FILE tests/cli/test_ddpg_texts.py TIMEOUT 200)
