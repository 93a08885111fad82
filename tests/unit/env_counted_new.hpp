// Allocations so far, in this test program.
#pragma once

#include <cstddef>

namespace tenfold::env {
extern std::size_t allocations;
}
