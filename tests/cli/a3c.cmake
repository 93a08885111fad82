tenfold_pytest(a3c_bad_input LABEL cli FILE tests/cli/test_a3c_bad_input.py TIMEOUT 400 AT_ONCE 4)
tenfold_pytest(a3c_texts LABEL cli FILE tests/cli/test_a3c_texts.py TIMEOUT 200)
