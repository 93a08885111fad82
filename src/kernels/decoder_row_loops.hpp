// Norms, rotations, activations and exponentials of single rows: see DecoderKernels.
#pragma once

#include "kernels/decoder_kernels.hpp"
#include "kernels/small_functions.hpp"

namespace tenfold::kernels {
namespace {

// The upper half of a float32, rounded to the nearest, of two as near to the even one.
inline std::uint16_t bfloat16_of(float value) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  // A not-a-number stays one, even if all that makes it one is in its lower half.
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

void round_all(const float* from, std::int64_t count, std::uint16_t* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = bfloat16_of(from[i]);
}

void widen(const std::uint16_t* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t bits = static_cast<std::uint32_t>(from[i]) << 16;
    __builtin_memcpy(to + i, &bits, sizeof bits);
  }
}

inline Vector without_end(Vector v, std::int64_t lanes) {
  for (std::int64_t l = lanes; l < kWide; ++l) v[l] = 0;
  return v;
}

// body(vector) summed over count numbers.
template <class Body>
inline float sum_over(const float* x, std::int64_t count, const Body& body) {
  Vector sum{};
  std::int64_t i = 0;
  for (; i + kWide <= count; i += kWide) sum += body(load(x + i));
  if (i < count) sum += without_end(body(load(x + i)), count - i);
  return sum_of_lanes(sum);
}

void rms_norm(const float* x, std::int64_t width, const float* weight, float epsilon, float* y) {
  const float squares = sum_over(x, width, [](const Vector& v) { return v * v; });
  const float factor = 1.0F / __builtin_sqrtf(squares / static_cast<float>(width) + epsilon);
  for_vectors(width, [&](std::int64_t i, std::int64_t lanes) {
    store_part(y + i, load(x + i) * factor * load(weight + i), lanes);
  });
}

void layer_norm(const float* x, std::int64_t width, const float* weight, const float* bias,
                float epsilon, float* y) {
  const auto count = static_cast<float>(width);
  const float mean = sum_over(x, width, [](const Vector& v) { return v; }) / count;
  const float squares =
      sum_over(x, width, [&](const Vector& v) { return (v - mean) * (v - mean); });
  const float factor = 1.0F / __builtin_sqrtf(squares / count + epsilon);
  for_vectors(width, [&](std::int64_t i, std::int64_t lanes) {
    store_part(y + i, (load(x + i) - mean) * factor * load(weight + i) + load(bias + i), lanes);
  });
}

void rotate(float* x, std::int64_t heads, std::int64_t head_width, const float* cosine,
            const float* sine, float scale) {
  const std::int64_t half = head_width / 2;
  for (std::int64_t h = 0; h < heads; ++h, x += head_width) {
    for_vectors(half, [&](std::int64_t i, std::int64_t lanes) {
      const Vector c = load(cosine + i) * scale, s = load(sine + i) * scale;
      const Vector low = load(x + i), high = load(x + half + i);
      store_part(x + i, low * c - high * s, lanes);
      store_part(x + half + i, high * c + low * s, lanes);
    });
  }
}

void scale_all(float* values, std::int64_t count, float scale) {
  for_vectors(count, [&](std::int64_t i, std::int64_t lanes) {
    store_part(values + i, load(values + i) * scale, lanes);
  });
}

void swiglu(const float* gate, const float* up, std::int64_t count, float* y) {
  for_vectors(count, [&](std::int64_t i, std::int64_t lanes) {
    const Vector g = load(gate + i);
    store_part(y + i, g * sigmoid(g) * load(up + i), lanes);
  });
}

void gelu(float* values, std::int64_t count) {
  constexpr float kRoot = 0.797884561F;  // sqrt(2 / pi)
  for_vectors(count, [&](std::int64_t i, std::int64_t lanes) {
    const Vector x = load(values + i);
    const Vector inner = kRoot * (x + 0.044715F * (x * x * x));
    store_part(values + i, 0.5F * x * (1.0F + tanh_of(inner)), lanes);
  });
}

float largest(const float* values, std::int64_t count) {
  Vector most = filled(values[0]);
  for_vectors(count, [&](std::int64_t i, std::int64_t lanes) {
    Vector v = load_part(values + i, lanes);
    for (std::int64_t l = lanes; l < kWide; ++l) v[l] = values[0];
    most = v > most ? v : most;
  });
  float result = most[0];
  for (std::int64_t l = 1; l < kWide; ++l) result = most[l] > result ? most[l] : result;
  return result;
}

inline Vector exponential_value(const Vector& x) {
  const Exponential e = exponential(x);
  return e.scale + e.scale * e.rest;
}

void exponentials(const float* x, std::int64_t count, float shift, float scale, float* y,
                  double* sums) {
  for (std::int64_t first = 0; first < count; first += kChunk) {
    Vector sum{};
    for_vectors(smaller(kChunk, count - first), [&](std::int64_t i, std::int64_t lanes) {
      const Vector exponent = (load_part(x + first + i, lanes) - shift) * scale;
      // Below, the functions here end at e^-87: what has no probability would have a little.
      Vector v = exponent < -87.0F ? Vector{} : exponential_value(exponent);
      v = without_end(v, lanes);
      store_part(y + first + i, v, lanes);
      sum += v;
    });
    *sums++ = static_cast<double>(sum_of_lanes(sum));
  }
}

}  // namespace
}  // namespace tenfold::kernels
