// Activations and the cells of an LSTM: see SmallProducts.
#pragma once

#include "kernels/small_functions.hpp"

namespace tenfold::kernels {
namespace {

void activate(float* values, std::int64_t count, Activation activation) {
  if (activation == Activation::kIdentity) return;
  for_vectors(count, [&](std::int64_t i, std::int64_t lanes) {
    const Vector x = load_part(values + i, lanes);
    const Vector y = activation == Activation::kRelu ? (x < 0.0F ? Vector{} : x) : tanh_of(x);
    store_part(values + i, y, lanes);
  });
}

void activation_backward(float* dy, const float* y, std::int64_t count, Activation activation) {
  if (activation == Activation::kIdentity) return;
  for_vectors(count, [&](std::int64_t i, std::int64_t lanes) {
    const Vector slope = load_part(dy + i, lanes), at = load_part(y + i, lanes);
    const Vector dx =
        activation == Activation::kRelu ? (at > 0.0F ? slope : Vector{}) : slope * (1.0F - at * at);
    store_part(dy + i, dx, lanes);
  });
}

void lstm_forward(std::int64_t cells, float* z, const float* c_before, float* c, float* tanh_c,
                  float* h) {
  float *const zi = z, *const zf = z + cells, *const zg = z + 2 * cells, *const zo = z + 3 * cells;
  for_vectors(cells, [&](std::int64_t k, std::int64_t lanes) {
    const Vector i = sigmoid(load_part(zi + k, lanes)), f = sigmoid(load_part(zf + k, lanes));
    const Vector g = tanh_of(load_part(zg + k, lanes)), o = sigmoid(load_part(zo + k, lanes));
    const Vector cell = f * load_part(c_before + k, lanes) + i * g;
    const Vector squashed = tanh_of(cell);
    store_part(zi + k, i, lanes);
    store_part(zf + k, f, lanes);
    store_part(zg + k, g, lanes);
    store_part(zo + k, o, lanes);
    store_part(c + k, cell, lanes);
    store_part(tanh_c + k, squashed, lanes);
    store_part(h + k, o * squashed, lanes);
  });
}

void lstm_backward(std::int64_t cells, const float* gates, const float* c_before,
                   const float* tanh_c, const float* dh, float* dc, float* dz) {
  for_vectors(cells, [&](std::int64_t k, std::int64_t lanes) {
    const Vector i = load_part(gates + k, lanes), f = load_part(gates + cells + k, lanes);
    const Vector g = load_part(gates + 2 * cells + k, lanes);
    const Vector o = load_part(gates + 3 * cells + k, lanes);
    const Vector squashed = load_part(tanh_c + k, lanes), slope = load_part(dh + k, lanes);
    const Vector cell = load_part(dc + k, lanes) + slope * o * (1.0F - squashed * squashed);
    store_part(dz + k, cell * g * i * (1.0F - i), lanes);
    store_part(dz + cells + k, cell * load_part(c_before + k, lanes) * f * (1.0F - f), lanes);
    store_part(dz + 2 * cells + k, cell * i * (1.0F - g * g), lanes);
    store_part(dz + 3 * cells + k, slope * squashed * o * (1.0F - o), lanes);
    store_part(dc + k, cell * f, lanes);
  });
}

void scale_bytes(const std::uint8_t* bytes, std::int64_t count, float* values) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(bytes[i]) / 255.0F;
}

}  // namespace
}  // namespace tenfold::kernels
