tenfold_pytest(sweep_tables LABEL cli FILE tests/cli/test_sweep_tables.py TIMEOUT 200)
