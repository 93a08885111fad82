// Nodes of our own in LibTorch's graph.
#pragma once

#include <torch/csrc/autograd/function.h>

#include <memory>
#include <type_traits>

namespace tenfold::nn {

/// A new node of class T, held as LibTorch holds its own: by std::shared_ptr, since 2.12 by
/// c10::intrusive_ptr.
template <class T>
auto make_node() {
  using Held = decltype(torch::autograd::Edge::function);
  if constexpr (std::is_same_v<Held, std::shared_ptr<torch::autograd::Node>>) {
    return std::make_shared<T>();
  } else {
    return c10::make_intrusive<T>();
  }
}

}  // namespace tenfold::nn
