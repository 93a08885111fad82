tenfold_pytest(a3c_faults LABEL faults FILE tests/faults/test_a3c.py TIMEOUT 600)
