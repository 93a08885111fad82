#include "a3c/sharing/shared_parameters.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "a3c/sharing/locks.hpp"
#include "base/error.hpp"

namespace tenfold::a3c {

namespace {

constexpr std::int64_t kWordsOfLine = comm::ArenaLayout::kLine / sizeof(std::int64_t);

void copy_out(std::span<const float> shared, const at::Tensor& copy) {
  base::require(copy.is_contiguous() && copy.numel() == static_cast<std::int64_t>(shared.size()),
                "shared parameters and their copy differ in size");
  std::memcpy(copy.data_ptr<float>(), shared.data(), shared.size_bytes());
}

}  // namespace

UpdatePolicy update_policy(const std::string& word) {
  if (word == "hogwild") return UpdatePolicy::kHogwild;
  if (word == "striped") return UpdatePolicy::kStriped;
  if (word == "atomic") return UpdatePolicy::kAtomic;
  if (word == "mutex") return UpdatePolicy::kMutex;
  if (word == "rma") return UpdatePolicy::kRma;
  throw base::Error(base::Code::kUsage, fmt::format("unknown update policy '{}'", word),
                    "hogwild, striped, atomic, mutex or rma");
}

SharedNumber::SharedNumber(const comm::SharedArena& arena, const std::string& name)
    : value_(arena.part<std::int64_t>(name).data()) {}

std::int64_t SharedNumber::get() const {
  return std::atomic_ref(*value_).load(std::memory_order_acquire);
}

void SharedNumber::set(std::int64_t value) const {
  std::atomic_ref(*value_).store(value, std::memory_order_release);
}

std::int64_t SharedNumber::add(std::int64_t value) const {
  return std::atomic_ref(*value_).fetch_add(value, std::memory_order_acq_rel);
}

bool SharedNumber::replace(std::int64_t expected, std::int64_t value) const {
  return std::atomic_ref(*value_).compare_exchange_strong(expected, value,
                                                          std::memory_order_acq_rel);
}

std::vector<comm::ArenaPart> SharedParameters::parts(const SharingOptions& options) {
  const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(options.size);
  const std::size_t word = sizeof(std::int64_t);
  return {{"parameters", bytes},
          {"statistics", bytes},
          {"target", bytes},
          {"frames", word},
          {"updates", word},
          {"copies", word},
          {"ticket", TicketLock::kWords * word},
          {"stripes", static_cast<std::size_t>(options.stripes) * comm::ArenaLayout::kLine}};
}

SharedParameters::SharedParameters(const comm::SharedArena& arena, const SharingOptions& options,
                                   int rank, int ranks)
    : arena_(arena),
      options_(options),
      parameters_(arena.part<float>("parameters")),
      statistics_(arena.part<float>("statistics")),
      target_(arena.part<float>("target")),
      ticket_(arena.part<std::int64_t>("ticket")),
      stripes_(arena.part<std::int64_t>("stripes")),
      frames_(arena, "frames"),
      updates_(arena, "updates"),
      copies_(arena, "copies"),
      first_stripe_(options.stripes * rank / std::max(ranks, 1)) {
  if (options.policy == UpdatePolicy::kRma) delta_.resize(parameters_.size());
}

void SharedParameters::read(const at::Tensor& copy) const {
  if (options_.policy == UpdatePolicy::kRma) {
    arena_.fetch("parameters", {copy.data_ptr<float>(), parameters_.size()});
  } else {
    copy_out(parameters_, copy);
  }
}

void SharedParameters::read_target(const at::Tensor& copy) const {
  copy_out(target_, copy);
}

std::int64_t SharedParameters::apply(const at::Tensor& gradient, double lr,
                                     const at::Tensor& own) const {
  base::require(gradient.is_contiguous() && gradient.numel() == options_.size,
                "shared parameters: a gradient of another size");
  step(options_.optimizer, gradient.data_ptr<float>(), lr,
       own.defined() ? own.data_ptr<float>() : statistics_.data());
  return updates_.add(1);
}

// A step of size 1 without a memory is a subtraction.
void SharedParameters::subtract(const at::Tensor& less) const {
  base::require(less.is_contiguous() && less.numel() == options_.size,
                "shared parameters: a difference of another size");
  nothing_.resize(parameters_.size());
  step({OptimizerKind::kMomentum, 0, 0}, less.data_ptr<float>(), 1, nothing_.data());
}

void SharedParameters::step(const OptimizerOptions& optimizer, const float* gradient, double lr,
                            float* statistics) const {
  switch (options_.policy) {
    case UpdatePolicy::kHogwild:
      plain_step(optimizer, lr, gradient, statistics, parameters_.data(), options_.size);
      break;
    case UpdatePolicy::kAtomic:
      atomic_step(optimizer, lr, gradient, statistics, parameters_.data(), options_.size);
      break;
    case UpdatePolicy::kStriped:
      step_striped(optimizer, gradient, lr, statistics);
      break;
    case UpdatePolicy::kMutex: {
      TicketLock lock(ticket_);
      lock.lock();
      plain_step(optimizer, lr, gradient, statistics, parameters_.data(), options_.size);
      lock.unlock();
      break;
    }
    case UpdatePolicy::kRma:
      step_delta(optimizer, lr, gradient, statistics, delta_.data(), options_.size);
      arena_.accumulate("parameters", delta_);
      break;
  }
}

void SharedParameters::step_striped(const OptimizerOptions& optimizer, const float* gradient,
                                    double lr, float* statistics) const {
  const std::int64_t lines = options_.size / 16;
  for (std::int64_t i = 0; i < options_.stripes; ++i) {
    const std::int64_t stripe = (first_stripe_ + i) % options_.stripes;
    const std::int64_t begin = lines * stripe / options_.stripes * 16;
    const std::int64_t end = lines * (stripe + 1) / options_.stripes * 16;
    if (begin == end) continue;
    SpinLock lock(stripes_[static_cast<std::size_t>(stripe * kWordsOfLine)]);
    lock.lock();
    plain_step(optimizer, lr, gradient + begin, statistics + begin, parameters_.data() + begin,
               end - begin);
    lock.unlock();
  }
}

void SharedParameters::copy_target(std::int64_t times) const {
  std::memcpy(target_.data(), parameters_.data(), parameters_.size_bytes());
  copies_.add(times);
}

}  // namespace tenfold::a3c
