#define TENFOLD_DECODER_KERNELS decoder_kernels_avx2
#include "kernels/decoder_kernels_set.hpp"
