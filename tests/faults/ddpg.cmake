tenfold_pytest(ddpg_resume LABEL faults FILE tests/faults/test_ddpg_resume.py TIMEOUT 500)
