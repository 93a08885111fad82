#include "kernels/small_products.hpp"

namespace tenfold::kernels {

extern const SmallProducts small_products_base;
#if defined(TENFOLD_X86_SETS)
extern const SmallProducts small_products_avx2, small_products_avx512;
#endif

namespace {

const SmallProducts& fastest() {
#if defined(TENFOLD_X86_SETS)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
                    __builtin_cpu_supports("bmi2") != 0;
  if (avx2 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
      __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
      __builtin_cpu_supports("avx512cd") != 0) {
    return small_products_avx512;
  }
  if (avx2) return small_products_avx2;
#endif
  return small_products_base;
}

}  // namespace

const SmallProducts& small_products() {
  static const SmallProducts& chosen = fastest();
  return chosen;
}

}  // namespace tenfold::kernels
