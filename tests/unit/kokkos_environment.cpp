// Linked into every test program that runs kernels: Kokkos lives as long as the tests do.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <memory>

#include "kernels/runtime.hpp"

namespace {

class KokkosForTests : public testing::Environment {
 public:
  void SetUp() override {
    at::set_num_threads(1);
    kokkos_ = std::make_unique<tenfold::kernels::KokkosEnvironment>();
  }
  void TearDown() override { kokkos_.reset(); }

 private:
  std::unique_ptr<tenfold::kernels::KokkosEnvironment> kokkos_;
};

// GoogleTest owns and deletes it.
[[maybe_unused]] const testing::Environment* const registered =
    testing::AddGlobalTestEnvironment(new KokkosForTests);

}  // namespace
