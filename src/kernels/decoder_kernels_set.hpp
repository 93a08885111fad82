// Defines TENFOLD_DECODER_KERNELS, the kernels for the instruction set that the including source is
// compiled for.
#include "kernels/decoder_attention_loops.hpp"
#include "kernels/decoder_product_loops.hpp"

namespace tenfold::kernels {

extern const DecoderKernels TENFOLD_DECODER_KERNELS;
const DecoderKernels TENFOLD_DECODER_KERNELS{
    kPanel,
    pack<float>,
    pack<std::uint16_t>,
    product<float>,
    product<std::uint16_t>,
    round_all,
    widen,
    rms_norm,
    layer_norm,
    rotate,
    scale_all,
    swiglu,
    gelu,
    attend,
    largest,
    exponentials,
};

}  // namespace tenfold::kernels
