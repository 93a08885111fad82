#include "comm/communicator.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <type_traits>

namespace tenfold::comm {

using base::Code;
using base::Error;

struct Communicator::Handle {
  MPI_Comm raw = MPI_COMM_NULL;
  bool owned = false;
  int rank = 0;
  int size = 1;

  Handle(MPI_Comm communicator, bool own) : raw(communicator), owned(own) {
    MPI_Comm_set_errhandler(raw, MPI_ERRORS_RETURN);
    check_mpi(MPI_Comm_rank(raw, &rank), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(raw, &size), "MPI_Comm_size");
  }
  ~Handle() {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (owned && finalized == 0) MPI_Comm_free(&raw);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

namespace {

template <class T>
MPI_Datatype mpi_type() {
  if constexpr (std::is_same_v<T, float>) return MPI_FLOAT;
  if constexpr (std::is_same_v<T, double>) return MPI_DOUBLE;
  if constexpr (std::is_same_v<T, std::int32_t>) return MPI_INT32_T;
  if constexpr (std::is_same_v<T, std::int64_t>) return MPI_INT64_T;
  if constexpr (std::is_same_v<T, std::uint32_t>) return MPI_UINT32_T;
  if constexpr (std::is_same_v<T, std::uint64_t>) return MPI_UINT64_T;
  if constexpr (std::is_same_v<T, std::byte>) return MPI_BYTE;
}

MPI_Op mpi_op(Op op) {
  switch (op) {
    case Op::kSum:
      return MPI_SUM;
    case Op::kMin:
      return MPI_MIN;
    case Op::kMax:
      return MPI_MAX;
    case Op::kBitOr:
      return MPI_BOR;
  }
  return MPI_OP_NULL;
}

// MPI counts are int: longer spans go in pieces of at most this many elements.
constexpr std::size_t kPiece = std::size_t{1} << 30;

int small_count(std::size_t count) {
  base::require(count <= static_cast<std::size_t>(INT_MAX), "message longer than 2^31 elements");
  return static_cast<int>(count);
}

}  // namespace

void check_mpi(int result, std::string_view what) {
  if (result == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(result, text.data(), &length);
  throw Error(Code::kIo,
              fmt::format("{} failed: {}", what,
                          std::string_view(text.data(), static_cast<std::size_t>(length))));
}

Communicator Communicator::world() {
  MPI_Comm copy = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &copy), "MPI_Comm_dup");
  return Communicator(std::make_shared<Handle>(copy, true));
}

Communicator Communicator::self() {
  return Communicator(std::make_shared<Handle>(MPI_COMM_SELF, false));
}

int Communicator::rank() const {
  return handle_->rank;
}
int Communicator::size() const {
  return handle_->size;
}
MPI_Comm Communicator::raw() const {
  return handle_->raw;
}

Communicator Communicator::duplicate() const {
  MPI_Comm copy = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(raw(), &copy), "MPI_Comm_dup");
  return Communicator(std::make_shared<Handle>(copy, true));
}

Communicator Communicator::node() const {
  MPI_Comm part = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(raw(), MPI_COMM_TYPE_SHARED, rank(), MPI_INFO_NULL, &part),
            "MPI_Comm_split_type");
  return Communicator(std::make_shared<Handle>(part, true));
}

Communicator Communicator::split(int group) const {
  MPI_Comm part = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(raw(), group, rank(), &part), "MPI_Comm_split");
  return Communicator(std::make_shared<Handle>(part, true));
}

void Communicator::barrier() const {
  check_mpi(MPI_Barrier(raw()), "MPI_Barrier");
}

template <class T>
void Communicator::broadcast(std::span<T> values, int root) const {
  while (!values.empty()) {
    const std::size_t count = std::min(values.size(), kPiece);
    check_mpi(MPI_Bcast(values.data(), static_cast<int>(count), mpi_type<T>(), root, raw()),
              "MPI_Bcast");
    values = values.subspan(count);
  }
}

std::string Communicator::broadcast_text(std::string text, int root) const {
  std::uint64_t size = text.size();
  broadcast(std::span<std::uint64_t>(&size, 1), root);
  text.resize(size);
  broadcast(std::span<std::byte>(reinterpret_cast<std::byte*>(text.data()), size), root);
  return text;
}

template <class T>
void Communicator::all_reduce(std::span<T> values, Op op) const {
  if (size() == 1) return;
  while (!values.empty()) {
    const std::size_t count = std::min(values.size(), kPiece);
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(count), mpi_type<T>(),
                            mpi_op(op), raw()),
              "MPI_Allreduce");
    values = values.subspan(count);
  }
}

template <class T>
void Communicator::all_gather(std::span<const T> mine, std::span<T> all) const {
  base::require(all.size() == mine.size() * static_cast<std::size_t>(size()),
                "all_gather: result has the wrong size");
  const int count = small_count(mine.size());
  check_mpi(
      MPI_Allgather(mine.data(), count, mpi_type<T>(), all.data(), count, mpi_type<T>(), raw()),
      "MPI_Allgather");
}

namespace {

std::vector<int> displacements(std::span<const int> counts, std::size_t available,
                               const char* what) {
  std::vector<int> starts;
  std::size_t total = 0;
  for (const int count : counts) {
    starts.push_back(small_count(total));
    total += static_cast<std::size_t>(count);
  }
  base::require(total == available, what);
  return starts;
}

}  // namespace

template <class T>
void Communicator::all_to_all(std::span<const T> send, std::span<const int> send_counts,
                              std::span<T> receive, std::span<const int> receive_counts) const {
  const auto from =
      displacements(send_counts, send.size(), "all_to_all: send counts and data differ");
  const auto to =
      displacements(receive_counts, receive.size(), "all_to_all: receive counts and data differ");
  check_mpi(MPI_Alltoallv(send.data(), send_counts.data(), from.data(), mpi_type<T>(),
                          receive.data(), receive_counts.data(), to.data(), mpi_type<T>(), raw()),
            "MPI_Alltoallv");
}

template <class T>
void Communicator::all_gather_v(std::span<const T> mine, std::span<T> all,
                                std::span<const int> counts) const {
  const auto starts = displacements(counts, all.size(), "all_gather_v: counts and data differ");
  check_mpi(MPI_Allgatherv(mine.data(), small_count(mine.size()), mpi_type<T>(), all.data(),
                           counts.data(), starts.data(), mpi_type<T>(), raw()),
            "MPI_Allgatherv");
}

template <class T>
void Communicator::reduce_scatter(std::span<const T> send, std::span<T> mine,
                                  std::span<const int> counts, Op op) const {
  displacements(counts, send.size(), "reduce_scatter: counts and data differ");
  base::require(mine.size() == static_cast<std::size_t>(counts[static_cast<std::size_t>(rank())]),
                "reduce_scatter: result has the wrong size");
  check_mpi(
      MPI_Reduce_scatter(send.data(), mine.data(), counts.data(), mpi_type<T>(), mpi_op(op), raw()),
      "MPI_Reduce_scatter");
}

std::vector<std::string> Communicator::gather_texts(const std::string& text, int root) const {
  std::vector<int> counts(static_cast<std::size_t>(size()));
  const int mine = small_count(text.size());
  check_mpi(MPI_Gather(&mine, 1, MPI_INT, counts.data(), 1, MPI_INT, root, raw()), "MPI_Gather");
  std::size_t total = 0;
  if (rank() == root) {
    for (const int count : counts) total += static_cast<std::size_t>(count);
  }
  std::string all(total, '\0');
  const std::vector<int> starts =
      rank() == root ? displacements(counts, total, "gather_texts") : std::vector<int>();
  check_mpi(MPI_Gatherv(text.data(), mine, MPI_CHAR, all.data(), counts.data(), starts.data(),
                        MPI_CHAR, root, raw()),
            "MPI_Gatherv");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    texts.push_back(
        all.substr(static_cast<std::size_t>(starts[i]), static_cast<std::size_t>(counts[i])));
  }
  return texts;
}

void Communicator::agree(const std::function<void()>& body) const {
  std::unique_ptr<Error> mine;
  try {
    body();
  } catch (const Error& error) {
    mine = std::make_unique<Error>(error);
  } catch (const std::exception& error) {
    mine = std::make_unique<Error>(Code::kBug, fmt::format("unexpected: {}", error.what()));
  }
  const std::int32_t first = all_reduce(mine ? rank() : size(), Op::kMin);
  if (first == size()) return;
  const bool culprit = first == rank();
  std::int32_t code = culprit ? static_cast<std::int32_t>(mine->code()) : 0;
  broadcast(std::span<std::int32_t>(&code, 1), first);
  std::string message = broadcast_text(culprit ? mine->message() : std::string(), first);
  std::string hint = broadcast_text(culprit ? mine->hint() : std::string(), first);
  std::string host = broadcast_text(culprit ? host_name() : std::string(), first);
  throw AgreedError(Error(static_cast<Code>(code), std::move(message), std::move(hint)), first,
                    std::move(host));
}

#define TENFOLD_INSTANTIATE(T)                                                                     \
  template void Communicator::broadcast(std::span<T>, int) const;                                  \
  template void Communicator::all_reduce(std::span<T>, Op) const;                                  \
  template void Communicator::all_gather(std::span<const T>, std::span<T>) const;                  \
  template void Communicator::all_to_all(std::span<const T>, std::span<const int>, std::span<T>,   \
                                         std::span<const int>) const;                              \
  template void Communicator::all_gather_v(std::span<const T>, std::span<T>, std::span<const int>) \
      const;                                                                                       \
  template void Communicator::reduce_scatter(std::span<const T>, std::span<T>,                     \
                                             std::span<const int>, Op) const;
TENFOLD_INSTANTIATE(float)
TENFOLD_INSTANTIATE(double)
TENFOLD_INSTANTIATE(std::int32_t)
TENFOLD_INSTANTIATE(std::int64_t)
TENFOLD_INSTANTIATE(std::uint32_t)
TENFOLD_INSTANTIATE(std::uint64_t)
TENFOLD_INSTANTIATE(std::byte)
#undef TENFOLD_INSTANTIATE

}  // namespace tenfold::comm
