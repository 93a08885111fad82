// TENFOLD_WIDE: a function of plain loops that is compiled several times, for the vector units that
// x86-64 processors have, and chosen from when the program starts. Rounding is the same in all
// (-ffp-contract=off); sums keep the order in which they are written.
#pragma once

// ThreadSanitizer is not there yet when the program chooses.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__) && \
    !defined(__SANITIZE_THREAD__)
#define TENFOLD_WIDE \
  __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#elif defined(__CUDACC__) || defined(__HIPCC__)
#define TENFOLD_WIDE __host__ __device__
#else
#define TENFOLD_WIDE
#endif
