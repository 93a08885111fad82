tenfold_test(checkpoint_test LABEL mpi WORLD 1 2 3 4
  SOURCES checkpoint_test.cpp checkpoint_chain_refusal_test.cpp checkpoint_failure_test.cpp
    checkpoint_refusal_test.cpp checkpoint_ring_test.cpp checkpoint_writer_test.cpp
    local_checkpoints_test.cpp run_directory_test.cpp
  DEPS tenfold::store Hdf5Parallel::hdf5)
