// MPI behind one class: errors become exceptions, sizes are checked, failures are agreed on.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tenfold::comm {

/// An error that every rank throws at the same place: the ranks can leave in good order, one of
/// them tells the user. agree() throws these; any other error on one rank has to abort the job.
class AgreedError : public base::Error {
 public:
  AgreedError(base::Error error, int rank, std::string host)
      : base::Error(std::move(error)), rank_(rank), host_(std::move(host)) {}
  int rank() const { return rank_; }  ///< where it happened
  const std::string& host() const { return host_; }

 private:
  int rank_;
  std::string host_;
};

enum class Op { kSum, kMin, kMax, kBitOr };

/// A group of ranks. Copies share the underlying communicator; it is freed with the last one.
/// Every call below is collective unless it says otherwise; MPI errors throw Code::kIo... and end
/// the job through run_app, since a communicator is not usable after one.
class Communicator {
 public:
  static Communicator
  world();  ///< a duplicate of MPI_COMM_WORLD; not collective after the first call
  static Communicator self();  ///< this process alone

  int rank() const;  ///< not collective
  int size() const;  ///< not collective
  bool is_root() const { return rank() == 0; }
  MPI_Comm raw() const;  ///< not collective

  /// A communicator of the same ranks whose messages never meet this one's.
  Communicator duplicate() const;
  /// Ranks that share a node's memory.
  Communicator node() const;
  /// Ranks that gave the same group (0 or more), in the order of this communicator.
  Communicator split(int group) const;

  void barrier() const;
  /// T: float, double, std::int32_t, std::int64_t, std::uint32_t, std::uint64_t, std::byte.
  template <class T>
  void broadcast(std::span<T> values, int root = 0) const;
  std::string broadcast_text(std::string text, int root = 0) const;
  template <class T>
  void all_reduce(std::span<T> values, Op op) const;
  template <class T>
  T all_reduce(T value, Op op) const {
    all_reduce(std::span<T>(&value, 1), op);
    return value;
  }
  /// Every rank gives mine.size() values (equal on all); all.size() == size() * mine.size().
  template <class T>
  void all_gather(std::span<const T> mine, std::span<T> all) const;
  /// Slices of unequal length: counts per destination rank, in elements; results are laid out by
  /// source rank.
  template <class T>
  void all_to_all(std::span<const T> send, std::span<const int> send_counts, std::span<T> receive,
                  std::span<const int> receive_counts) const;
  template <class T>
  void all_gather_v(std::span<const T> mine, std::span<T> all, std::span<const int> counts) const;
  /// The sum (or op) over ranks of send, cut by counts: rank r receives its counts[r] elements.
  template <class T>
  void reduce_scatter(std::span<const T> send, std::span<T> mine, std::span<const int> counts,
                      Op op) const;
  /// Texts of all ranks in rank order, on the root; empty elsewhere.
  std::vector<std::string> gather_texts(const std::string& text, int root = 0) const;

  /// Runs body on every rank (body must make no collective call on this communicator unless it
  /// cannot throw before it). If it threw a base::Error on any rank, every rank throws the same
  /// one, as an AgreedError: that of the lowest failing rank. Other std::exceptions count as bugs.
  void agree(const std::function<void()>& body) const;

 private:
  struct Handle;
  explicit Communicator(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {}
  std::shared_ptr<Handle> handle_;
};

/// Throws base::Error with MPI's own text when result is not MPI_SUCCESS.
void check_mpi(int result, std::string_view what);

/// MPI's life. Make one in main before anything else; finalizes in the destructor unless MPI was
/// aborted. MPI_THREAD_MULTIPLE is asked for; error handlers return.
class MpiEnvironment {
 public:
  MpiEnvironment(int* argc, char*** argv);
  ~MpiEnvironment();
  MpiEnvironment(const MpiEnvironment&) = delete;
  MpiEnvironment& operator=(const MpiEnvironment&) = delete;
};

/// Prints one fatal line from this rank and ends every rank with this exit code. For errors that
/// cannot be agreed on.
[[noreturn]] void abort_job(int code, std::string_view text);

/// "node7".
std::string host_name();
/// Open MPI's version, CUDA-awareness: facts for --version and the manifest.
std::string mpi_description();

}  // namespace tenfold::comm
