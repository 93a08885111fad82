#define TENFOLD_SMALL_PRODUCTS small_products_base
#include "kernels/small_products_set.hpp"
