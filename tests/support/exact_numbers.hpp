// Numbers that tests in C++ and Python draw alike (make_ddpg.py's draw), exact in float32.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tenfold::test {

/// Number i of sequence salt, a multiple of 2^-23 in [-1, 1): MurmurHash3's 32-bit finalizer of a
/// counter.
inline double exact_number(std::uint32_t salt, std::size_t i) {
  std::uint32_t x = static_cast<std::uint32_t>(i) + (salt << 20);
  x = (x ^ x >> 16) * 0x85EBCA6BU;
  x = (x ^ x >> 13) * 0xC2B2AE35U;
  x ^= x >> 16;
  return static_cast<double>(x >> 8) * 0x1p-23 - 1.0;
}

}  // namespace tenfold::test
