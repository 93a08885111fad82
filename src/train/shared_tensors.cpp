#include "train/shared_tensors.hpp"

#include <algorithm>
#include <atomic>

#include "base/error.hpp"
#include "kernels/optimizer_element.hpp"

namespace tenfold::train {

namespace {

static_assert(std::atomic_ref<float>::is_always_lock_free);
static_assert(std::atomic_ref<std::int64_t>::is_always_lock_free);

float load(float& shared) {
  return std::atomic_ref<float>(shared).load(std::memory_order_relaxed);
}
void store(float& shared, float value) {
  std::atomic_ref<float>(shared).store(value, std::memory_order_relaxed);
}

void get_all(std::span<float> shared, const at::Tensor& own) {
  base::require(own.is_contiguous() && own.numel() == static_cast<std::int64_t>(shared.size()),
                "a shared array and its copy differ in size");
  float* out = own.data_ptr<float>();
  for (float& each : shared) *out++ = load(each);
}

void set_all(std::span<float> shared, const at::Tensor& own) {
  base::require(own.is_contiguous() && own.numel() == static_cast<std::int64_t>(shared.size()),
                "a shared array and its copy differ in size");
  const float* in = own.data_ptr<float>();
  for (float& each : shared) store(each, *in++);
}

}  // namespace

std::vector<comm::ArenaPart> SharedAdam::parts(const std::string& name, std::int64_t parameters) {
  const std::size_t bytes = sizeof(float) * static_cast<std::size_t>(parameters);
  return {{name + "/parameters", bytes},
          {name + "/m", bytes},
          {name + "/v", bytes},
          {name + "/steps", sizeof(std::int64_t)}};
}

SharedAdam::SharedAdam(const comm::SharedArena& arena, const std::string& name)
    : parameters_(arena.part<float>(name + "/parameters")),
      m_(arena.part<float>(name + "/m")),
      v_(arena.part<float>(name + "/v")),
      steps_(arena.part<std::int64_t>(name + "/steps")) {}

std::int64_t SharedAdam::skip() {
  return std::atomic_ref<std::int64_t>(steps_.front()).fetch_add(1, std::memory_order_relaxed) + 1;
}

std::int64_t SharedAdam::steps() const {
  return std::atomic_ref<std::int64_t>(steps_.front()).load(std::memory_order_relaxed);
}

std::int64_t SharedAdam::step(const at::Tensor& gradient, const at::Tensor& l2, double lr,
                              const at::Tensor& copy) {
  const std::int64_t number = skip();
  const kernels::AdamScalars scalars(number, {.lr = lr});
  base::require(copy.is_contiguous() && copy.numel() == static_cast<std::int64_t>(m_.size()) &&
                    gradient.numel() == copy.numel(),
                "SharedAdam: sizes differ");
  const float* const g = gradient.data_ptr<float>();
  const float* const decay = l2.defined() ? l2.data_ptr<float>() : nullptr;
  float* const out = copy.data_ptr<float>();
  for (std::size_t i = 0; i < m_.size(); ++i) {
    float parameter = load(parameters_[i]), first = load(m_[i]), second = load(v_[i]);
    const float d = decay != nullptr ? g[i] + decay[i] * parameter : g[i];
    kernels::adam_element(scalars, d, first, second, parameter);
    store(m_[i], first);
    store(v_[i], second);
    store(parameters_[i], parameter);
    out[i] = parameter;
  }
  return number;
}

void SharedAdam::get(const at::Tensor& parameters, const at::Tensor& m, const at::Tensor& v) const {
  get_all(parameters_, parameters);
  get_all(m_, m);
  get_all(v_, v);
}

void SharedAdam::set(const at::Tensor& parameters, const at::Tensor& m, const at::Tensor& v,
                     std::int64_t steps) {
  set_all(parameters_, parameters);
  set_all(m_, m);
  set_all(v_, v);
  std::atomic_ref<std::int64_t>(steps_.front()).store(steps, std::memory_order_relaxed);
}

void SharedAdam::get_parameters(const at::Tensor& copy) const {
  get_all(parameters_, copy);
}

SharedCopy::SharedCopy(std::span<float> shared, const at::Tensor& own)
    : shared_(shared), own_(own), before_(shared.size()) {}

void SharedCopy::get() {
  get_all(shared_, own_);
  std::copy_n(own_.data_ptr<float>(), before_.size(), before_.begin());
}

void SharedCopy::set() const {
  set_all(shared_, own_);
}

void SharedCopy::add_change() {
  const float* const own = own_.data_ptr<float>();
  for (std::size_t i = 0; i < shared_.size(); ++i) {
    const float now = load(shared_[i]);
    store(shared_[i], now == before_[i] ? own[i] : now + (own[i] - before_[i]));
  }
}

void SharedCopy::follow(const at::Tensor& source, double tau) {
  base::require(
      source.is_contiguous() && source.numel() == static_cast<std::int64_t>(shared_.size()),
      "a shared array follows a tensor of another size");
  const float* const from = source.data_ptr<float>();
  const auto weight = static_cast<float>(tau);
  for (std::size_t i = 0; i < shared_.size(); ++i) {
    store(shared_[i],
          tau == 1.0 ? from[i] : kernels::polyak_element(load(shared_[i]), from[i], weight));
  }
}

}  // namespace tenfold::train
