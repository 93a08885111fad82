#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

#include "base/resident_memory.hpp"

namespace tenfold::base {
namespace {

TEST(ResidentMemory, GrowsByWhatIsTouchedAndRemembersItsPeak) {
  constexpr std::size_t kBytes = 96 << 20;
  const ResidentMemory before = resident_memory();
  EXPECT_GT(before.files, 1e5) << "this program itself";
  void* const memory =
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::memset(memory, 1, kBytes);
  EXPECT_NEAR(resident_memory().own - before.own, kBytes, 0.05 * kBytes);
  munmap(memory, kBytes);
  EXPECT_NEAR(resident_memory().own - before.own, 0, 0.05 * kBytes);
  EXPECT_NEAR(peak_growth_bytes(before), kBytes, 0.1 * kBytes);
}

}  // namespace
}  // namespace tenfold::base
