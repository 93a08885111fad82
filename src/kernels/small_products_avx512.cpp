#define TENFOLD_SMALL_PRODUCTS small_products_avx512
#include "kernels/small_products_set.hpp"
