tenfold_test(unit_kernels LABEL unit
  SOURCES kernels_convolution_test.cpp kernels_decoder_kernels_test.cpp kernels_dense_layer_test.cpp kernels_flat_optimizer_test.cpp
    kernels_layer_norm_test.cpp kernels_shard_sum_test.cpp kernels_small_products_test.cpp
    kernels_runtime_test.cpp kokkos_environment.cpp
  DEPS tenfold::kernels)
