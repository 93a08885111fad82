tenfold_test(unit_nn_decoding LABEL unit
  SOURCES nn_decoding_blocks_test.cpp nn_decoding_engine_test.cpp nn_decoding_generator_test.cpp
    nn_decoding_sampling_test.cpp counted_new.cpp kokkos_environment.cpp
  DEPS tenfold::nn)
