#include "nn/network.hpp"

#include <utility>

#include "nn/initialize.hpp"

namespace tenfold::nn {

void Network::set_layouts(ParameterLayout parameters, ParameterLayout buffers) {
  parameters_ = std::move(parameters);
  buffers_ = std::move(buffers);
}

void Network::initialize(const at::Tensor& parameters, const at::Tensor& buffers,
                         std::uint32_t seed, std::uint32_t index) const {
  initialize_flat(parameters, parameters_, seed, index);
  if (buffers_.flat_size() > 0) initialize_flat(buffers, buffers_, seed, index);
}

void Network::fill_decay(const at::Tensor& l2, double value) const {
  check_flat_shape(l2, parameters_);
  l2.zero_();
  for (const ParameterEntry& entry : parameters_.entries()) {
    if (entry.decays) l2.narrow(0, entry.offset, entry.size).fill_(value);
  }
}

}  // namespace tenfold::nn
