#include "kernels/small_products.hpp"

#include <initializer_list>

namespace tenfold::kernels {

extern const SmallProducts small_products_base;
#if defined(TENFOLD_X86_SETS)
extern const SmallProducts small_products_avx2, small_products_avx512;
#endif

const SmallProducts* small_products(InstructionSet set) {
  if (set == InstructionSet::kBase) return &small_products_base;
#if defined(TENFOLD_X86_SETS)
  // What the sources of the two sets are compiled for, all of it.
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
                    __builtin_cpu_supports("bmi2") != 0;
  const bool avx512 =
      avx2 && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
      __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  if (set == InstructionSet::kAvx2 && avx2) return &small_products_avx2;
  if (set == InstructionSet::kAvx512 && avx512) return &small_products_avx512;
#endif
  return nullptr;
}

const SmallProducts& small_products() {
  static const SmallProducts& chosen = []() -> const SmallProducts& {
    for (const InstructionSet set : {InstructionSet::kAvx512, InstructionSet::kAvx2}) {
      if (const SmallProducts* const found = small_products(set)) return *found;
    }
    return small_products_base;
  }();
  return chosen;
}

}  // namespace tenfold::kernels
