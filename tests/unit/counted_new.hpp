// Allocations so far, in this test program.
#pragma once

#include <cstddef>

namespace tenfold::test {
extern std::size_t allocations;
}
