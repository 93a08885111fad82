#include "kernels/decoder_kernels.hpp"

#include <initializer_list>

namespace tenfold::kernels {

extern const DecoderKernels decoder_kernels_base;
#if defined(TENFOLD_X86_SETS)
extern const DecoderKernels decoder_kernels_avx2, decoder_kernels_avx512;
#endif

const DecoderKernels* decoder_kernels(InstructionSet set) {
  if (small_products(set) == nullptr) return nullptr;
#if defined(TENFOLD_X86_SETS)
  if (set == InstructionSet::kAvx512) return &decoder_kernels_avx512;
  if (set == InstructionSet::kAvx2) return &decoder_kernels_avx2;
#endif
  return &decoder_kernels_base;
}

const DecoderKernels& decoder_kernels() {
  static const DecoderKernels& chosen = []() -> const DecoderKernels& {
    for (const InstructionSet set : {InstructionSet::kAvx512, InstructionSet::kAvx2}) {
      if (const DecoderKernels* const found = decoder_kernels(set)) return *found;
    }
    return decoder_kernels_base;
  }();
  return chosen;
}

}  // namespace tenfold::kernels
