// Parameters and optimizer state that ranks of a node share and update without locks (Hogwild:
// Recht et al. 2011; Mnih et al. 2016, section 4, with shared statistics).
//
// Ranks compute on copies of their own. Only what is here touches the shared arrays, element by
// element with relaxed atomics: of two ranks that write one element at the same time one may be
// lost, never torn.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "comm/shared_arena.hpp"

namespace tenfold::train {

/// Adam's state of one network in an arena.
class SharedAdam {
 public:
  /// What it needs of the arena, for P parameters; name tells it from others there.
  static std::vector<comm::ArenaPart> parts(const std::string& name, std::int64_t parameters);
  SharedAdam(const comm::SharedArena& arena, const std::string& name);

  /// One step on the shared parameters and moments with this gradient, float32 [P]; l2 may be
  /// undefined. The arithmetic is that of kernels::adam_step on what is there now. copy, float32
  /// [P], gets the parameters that come out. Returns the number of the step over all ranks.
  std::int64_t step(const at::Tensor& gradient, const at::Tensor& l2, double lr,
                    const at::Tensor& copy);
  /// Counts a step that is left out.
  std::int64_t skip();
  std::int64_t steps() const;

  /// All of it into tensors of this rank, or out of them (one rank, while the others wait).
  void get(const at::Tensor& parameters, const at::Tensor& m, const at::Tensor& v) const;
  void set(const at::Tensor& parameters, const at::Tensor& m, const at::Tensor& v,
           std::int64_t steps);
  void get_parameters(const at::Tensor& copy) const;

 private:
  std::span<float> parameters_, m_, v_;
  std::span<std::int64_t> steps_;
};

/// A tensor of this rank, float32 and contiguous, and a shared array that it is a copy of.
class SharedCopy {
 public:
  SharedCopy(std::span<float> shared, const at::Tensor& own);
  void get();
  void set() const;
  /// Adds to the shared array what own has moved since get(): exactly own where nobody else wrote.
  void add_change();
  /// shared <- shared + tau (source - shared), as kernels::polyak; source is float32, contiguous.
  void follow(const at::Tensor& source, double tau);

 private:
  std::span<float> shared_;
  at::Tensor own_;
  std::vector<float> before_;
};

}  // namespace tenfold::train
