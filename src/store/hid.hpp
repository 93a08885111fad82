// Owned HDF5 identifiers: every return is checked, every failure carries HDF5's own reason.
#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <string_view>

namespace tenfold::store {

/// Holds the process-wide lock that HDF5 1.10 needs (Debian's parallel build is not thread-safe),
/// and sets HDF5 up at the first use: no printed error stacks, no exit handler (it crashes after a
/// failed write). Every public function of the module that calls HDF5 holds one; it may be nested.
class Hdf5Session {
 public:
  Hdf5Session();
  /// Does not wait: owns() is false when another thread is in HDF5 now.
  explicit Hdf5Session(std::try_to_lock_t);
  bool owns() const { return lock_.owns_lock(); }

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

/// The error stack as one line (the system's own reason first, when there is one), and clears it.
std::string hdf5_error_text();

/// Throws Code::kIo, "cannot ACTION OBJECT: REASON".
[[noreturn]] void throw_hdf5(std::string_view action, std::string_view object);

/// Passes result through; throws Code::kIo when it is negative. T: herr_t, hid_t, htri_t, hssize_t.
template <class T>
T check_h5(T result, std::string_view action, std::string_view object) {
  if (result < 0) throw_hdf5(action, object);
  return result;
}

/// One identifier, closed once. Move-only.
class Hid {
 public:
  using Closer = herr_t (*)(hid_t);

  Hid() = default;
  /// Takes over id. Throws Code::kIo when it is negative.
  Hid(hid_t id, Closer closer, std::string_view action, std::string_view object);
  Hid(Hid&& other) noexcept;
  Hid& operator=(Hid&& other) noexcept;
  Hid(const Hid&) = delete;
  Hid& operator=(const Hid&) = delete;
  ~Hid();  ///< never throws; close() first where a failure matters

  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }
  /// Throws Code::kIo: a full disk often shows here and nowhere before.
  void close(std::string_view object);

 private:
  void drop() noexcept;

  hid_t id_ = -1;
  Closer closer_ = nullptr;
};

}  // namespace tenfold::store
