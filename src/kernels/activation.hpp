// Apart, so that sources compiled for one processor see nothing of LibTorch.
#pragma once

namespace tenfold::kernels {

enum class Activation { kIdentity, kRelu, kTanh };

}  // namespace tenfold::kernels
