tenfold_pytest(ddpg_resume LABEL faults FILE tests/faults/test_ddpg_resume.py TIMEOUT 500)
tenfold_pytest(zero LABEL faults FILE tests/faults/test_zero.py TIMEOUT 500)
tenfold_pytest(fault_points LABEL faults FILE tests/faults/test_fault_points.py TIMEOUT 900)
tenfold_pytest(ddpg_incremental LABEL faults FILE tests/faults/test_ddpg_incremental.py TIMEOUT 300)
