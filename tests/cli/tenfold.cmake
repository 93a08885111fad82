tenfold_pytest(tenfold_looks LABEL cli FILE tests/cli/test_tenfold_looks.py PROCESSORS 1)
tenfold_pytest(tenfold_verify LABEL cli FILE tests/cli/test_tenfold_verify.py PROCESSORS 1)
tenfold_pytest(tenfold_doctor LABEL cli FILE tests/cli/test_tenfold_doctor.py)
