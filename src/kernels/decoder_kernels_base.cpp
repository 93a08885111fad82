#define TENFOLD_DECODER_KERNELS decoder_kernels_base
#include "kernels/decoder_kernels_set.hpp"
