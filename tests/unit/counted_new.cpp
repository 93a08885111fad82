// Counts operator new. Apart from the tests, or the compiler inlines one half of the pair and
// warns.
#include "counted_new.hpp"

#include <cstdlib>
#include <new>

namespace tenfold::test {
std::size_t allocations = 0;
}

void* operator new(std::size_t bytes) {
  ++tenfold::test::allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
