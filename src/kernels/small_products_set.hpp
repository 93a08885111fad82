// Defines TENFOLD_SMALL_PRODUCTS, the set of products for the instruction set that the including
// source is compiled for.
#include "kernels/small_cell_loops.hpp"
#include "kernels/small_conv_loops.hpp"
#include "kernels/small_dense_loops.hpp"

namespace tenfold::kernels {

extern const SmallProducts TENFOLD_SMALL_PRODUCTS;
const SmallProducts TENFOLD_SMALL_PRODUCTS{
    forward,
    weight_gradient,
    input_gradient,
    column_sums,
    conv_forward,
    conv_forward_sparse,
    conv_weight_gradient,
    conv_weight_gradient_sparse,
    conv_input_gradient,
    nonzeros,
    scale_bytes,
    activate,
    activation_backward,
    lstm_forward,
    lstm_backward,
};

}  // namespace tenfold::kernels
