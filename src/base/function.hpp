// TENFOLD_FUNCTION marks functions that run inside Kokkos kernels as well as on the host.
#pragma once

#if defined(__CUDACC__) || defined(__HIPCC__)
#define TENFOLD_FUNCTION __host__ __device__ inline
#else
#define TENFOLD_FUNCTION inline
#endif
