// Numbers and arrays to bytes and back, for state that checkpoints hold. Reading is bounded: what
// is longer than its bytes, or than was asked for, is refused before anything is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.hpp"

namespace tenfold::search {

/// Throws Code::kCheckpoint unless good.
inline void check_state(bool good, std::string_view what) {
  if (good) return;
  throw base::Error(base::Code::kCheckpoint,
                    fmt::format("the stored search state is damaged: {}", what),
                    "Take an older checkpoint");
}

class ByteWriter {
 public:
  template <class T>
  void number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    raw(&value, sizeof(T));
  }
  template <class T>
  void array(std::span<const T> values) {
    number(static_cast<std::uint64_t>(values.size()));
    raw(values.data(), values.size_bytes());
  }
  template <class T>
  void array(const std::vector<T>& values) {
    array(std::span<const T>(values));
  }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  void raw(const void* data, std::size_t size);
  std::vector<std::byte> bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class T>
  T number() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    raw(&value, sizeof(T));
    return value;
  }
  template <class T>
  std::vector<T> array(std::uint64_t at_most = UINT64_MAX) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto count = number<std::uint64_t>();
    check_state(count <= at_most && count <= rest_.size() / sizeof(T),
                "an array is longer than it can be");
    std::vector<T> values(count);
    raw(values.data(), values.size() * sizeof(T));
    return values;
  }
  std::span<const std::byte> rest() const { return rest_; }
  bool ended() const { return rest_.empty(); }

 private:
  void raw(void* data, std::size_t size) {
    check_state(size <= rest_.size(), "it ends too early");
    if (size != 0) std::memcpy(data, rest_.data(), size);
    rest_ = rest_.subspan(size);
  }
  std::span<const std::byte> rest_;
};

/// bytes with their xxh64 behind them, and back: throws Code::kCheckpoint when they do not fit.
void seal(std::vector<std::byte>& bytes);
std::span<const std::byte> unsealed(std::span<const std::byte> bytes);

}  // namespace tenfold::search
