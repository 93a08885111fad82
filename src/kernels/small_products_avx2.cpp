#define TENFOLD_SMALL_PRODUCTS small_products_avx2
#include "kernels/small_products_set.hpp"
