tenfold_pytest(ddpg_same_answer LABEL mpi FILE tests/mpi/test_same_answer.py TIMEOUT 400)
