// What differs between the Kokkos releases we build with (Debian's 3.4 to 5), and how a kernel is
// started on the device of its tensors. Only sources of this suite that hold kernels include it.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

#if defined(KOKKOS_ENABLE_CUDA)
#include <ATen/cuda/CUDAContext.h>
#endif
#include <ATen/core/Tensor.h>

namespace tenfold::kernels {

inline void initialize_kokkos(int device_id) {
#if KOKKOS_VERSION >= 30700
  Kokkos::InitializationSettings settings;
  settings.set_disable_warnings(true);
  if (device_id >= 0) settings.set_device_id(device_id);
  Kokkos::initialize(settings);
#else
  Kokkos::InitArguments arguments;
  arguments.disable_warnings = true;
  arguments.device_id = device_id;
  Kokkos::initialize(arguments);
#endif
}

namespace detail {

template <class Body>
struct ElementOnDevice {
  Body body;
  KOKKOS_INLINE_FUNCTION void operator()(std::int64_t i) const { body(i, i + 1); }
};

template <class Body>
struct ChunkOnHost {
  // Small enough for the first-level cache, large enough that starting a chunk costs nothing.
  static constexpr std::int64_t kChunk = 2048;
  Body body;
  std::int64_t count;
  void operator()(std::int64_t chunk) const {
    const std::int64_t begin = chunk * kChunk;
    body(begin, begin + kChunk < count ? begin + kChunk : count);
  }
};

template <class Body>
struct CellOnDevice {
  Body body;
  std::int64_t columns;
  KOKKOS_INLINE_FUNCTION void operator()(std::int64_t i) const {
    body(i / columns, i % columns, i % columns + 1);
  }
};

template <class Body>
struct RowOnHost {
  Body body;
  std::int64_t columns;
  void operator()(std::int64_t row) const { body(row, std::int64_t{0}, columns); }
};

template <class Body>
struct WholeRow {
  Body body;
  KOKKOS_INLINE_FUNCTION void operator()(std::int64_t row) const { body(row); }
};

template <class Body, class Value>
struct ReduceOnDevice {
  Body body;
  KOKKOS_INLINE_FUNCTION void operator()(std::int64_t i, Value& value) const {
    body(i, i + 1, value);
  }
};

template <class Body, class Value>
struct ReduceOnHost {
  static constexpr std::int64_t kChunk = 2048;
  Body body;
  std::int64_t count;
  void operator()(std::int64_t chunk, Value& value) const {
    const std::int64_t begin = chunk * kChunk;
    Value mine = value;  // a local can live in a register, the reference cannot
    body(begin, begin + kChunk < count ? begin + kChunk : count, mine);
    value = mine;
  }
};

template <class Functor>
void run_on_host(std::int64_t count, const Functor& functor) {
  using Policy = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
  Kokkos::parallel_for(Policy(0, static_cast<Policy::index_type>(count)), functor);
}

#if defined(KOKKOS_ENABLE_CUDA)
// On torch's current stream: ordered with the ATen operations around it, no fence needed.
template <class Functor>
void run_on_cuda(std::int64_t count, const Functor& functor) {
  using Policy = Kokkos::RangePolicy<Kokkos::Cuda, Kokkos::IndexType<std::int64_t>>;
  const Kokkos::Cuda stream(at::cuda::getCurrentCUDAStream().stream());
  Kokkos::parallel_for(Policy(stream, 0, count), functor);
}
#endif

}  // namespace detail

/// Runs body(begin, end) over [0, count) on the device of where: in blocks that the compiler can
/// vectorise on a CPU, element by element on a GPU. Elements must not depend on each other.
template <class Body>
void for_elements(const at::Tensor& where, std::int64_t count, const Body& body) {
#if defined(KOKKOS_ENABLE_CUDA)
  if (where.is_cuda()) return detail::run_on_cuda(count, detail::ElementOnDevice<Body>{body});
#endif
  (void)where;
  using Functor = detail::ChunkOnHost<Body>;
  detail::run_on_host((count + Functor::kChunk - 1) / Functor::kChunk, Functor{body, count});
}

/// Runs body(row, begin, end) for all rows, whole rows on a CPU, cell by cell on a GPU.
template <class Body>
void for_rows(const at::Tensor& where, std::int64_t rows, std::int64_t columns, const Body& body) {
#if defined(KOKKOS_ENABLE_CUDA)
  if (where.is_cuda()) {
    return detail::run_on_cuda(rows * columns, detail::CellOnDevice<Body>{body, columns});
  }
#endif
  (void)where;
  detail::run_on_host(rows, detail::RowOnHost<Body>{body, columns});
}

/// Runs body(row) for all rows, for what needs sums over a row: one thread a row on a GPU.
template <class Body>
void for_whole_rows(const at::Tensor& where, std::int64_t rows, const Body& body) {
#if defined(KOKKOS_ENABLE_CUDA)
  if (where.is_cuda()) return detail::run_on_cuda(rows, detail::WholeRow<Body>{body});
#endif
  (void)where;
  detail::run_on_host(rows, detail::WholeRow<Body>{body});
}

/// Joins body(begin, end, value) over [0, count) with a Kokkos reducer; initial for count 0. Waits
/// for the result.
template <class Reducer, class Body>
typename Reducer::value_type reduce_elements(const at::Tensor& where, std::int64_t count,
                                             typename Reducer::value_type initial,
                                             const Body& body) {
  using Value = typename Reducer::value_type;
  Value result = initial;
  if (count == 0) return result;
#if defined(KOKKOS_ENABLE_CUDA)
  if (where.is_cuda()) {
    using Policy = Kokkos::RangePolicy<Kokkos::Cuda, Kokkos::IndexType<std::int64_t>>;
    const Kokkos::Cuda stream(at::cuda::getCurrentCUDAStream().stream());
    Kokkos::parallel_reduce(Policy(stream, 0, count), detail::ReduceOnDevice<Body, Value>{body},
                            Reducer(result));
    return result;
  }
#endif
  (void)where;
  using Functor = detail::ReduceOnHost<Body, Value>;
  using Policy = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
  const std::int64_t chunks = (count + Functor::kChunk - 1) / Functor::kChunk;
  Kokkos::parallel_reduce(Policy(0, static_cast<Policy::index_type>(chunks)), Functor{body, count},
                          Reducer(result));
  return result;
}

}  // namespace tenfold::kernels
