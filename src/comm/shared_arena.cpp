#include "comm/shared_arena.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::comm {

using base::Code;
using base::Error;

namespace {

// Where Open MPI 4 and 5 put shared windows. A full one shows as SIGBUS at the first touch, not
// when the window is made.
constexpr const char* kBackingFolder = "/dev/shm";

void check_space(std::size_t bytes) {
  struct statvfs facts {};
  if (statvfs(kBackingFolder, &facts) != 0) return;
  const double free = static_cast<double>(facts.f_bavail) * static_cast<double>(facts.f_frsize);
  if (static_cast<double>(bytes) <= free) return;
  throw Error(Code::kUsage,
              fmt::format("the ranks share {} of memory, {} has {} free",
                          base::human_bytes(static_cast<double>(bytes)), kBackingFolder,
                          base::human_bytes(free)),
              "Give the machine or container a larger /dev/shm, or use smaller networks");
}

std::size_t to_line(std::size_t bytes) {
  return (bytes + ArenaLayout::kLine - 1) / ArenaLayout::kLine * ArenaLayout::kLine;
}

}  // namespace

ArenaLayout::ArenaLayout(const std::vector<ArenaPart>& parts) {
  for (const ArenaPart& part : parts) {
    base::require(places_.emplace(part.name, Place{bytes_, part.bytes}).second,
                  fmt::format("the arena has two parts {}", part.name));
    bytes_ += to_line(part.bytes);
  }
}

const ArenaLayout::Place& ArenaLayout::find(const std::string& name) const {
  const auto found = places_.find(name);
  base::require(found != places_.end(), fmt::format("the arena has no part {}", name));
  return found->second;
}

void require_one_node(int ranks_of_node, int ranks) {
  if (ranks_of_node == ranks) return;
  throw Error(Code::kUsage,
              fmt::format("{} of the {} ranks are on {}: ranks of several nodes share no memory",
                          ranks_of_node, ranks, host_name()),
              "Start all ranks on one node");
}

SharedArena::SharedArena(const Communicator& communicator, const std::vector<ArenaPart>& parts)
    : communicator_(communicator.duplicate()), layout_(parts) {
  const int on_node = communicator_.node().size();
  communicator_.agree([&] {
    require_one_node(on_node, communicator_.size());
    if (communicator_.is_root() && communicator_.size() > 1) check_space(layout_.bytes());
  });
  allocate();
  communicator_.agree([&] { check_model(); });
  check_mpi(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_), "MPI_Win_lock_all");
  touch();
}

// Open MPI's shared windows begin anywhere in a cache line (open-mpi/ompi#6950): rank 0 leaves some
// bytes out.
void SharedArena::allocate() {
  const bool root = communicator_.is_root();
  void* mine = nullptr;
  const auto bytes = static_cast<MPI_Aint>(root ? layout_.bytes() + ArenaLayout::kLine : 0);
  check_mpi(MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, communicator_.raw(), &mine, &window_),
            "MPI_Win_allocate_shared");
  MPI_Aint size = 0;
  int unit = 0;
  void* shared = nullptr;
  check_mpi(MPI_Win_shared_query(window_, 0, &size, &unit, &shared), "MPI_Win_shared_query");
  const std::size_t into_line = reinterpret_cast<std::uintptr_t>(shared) % ArenaLayout::kLine;
  std::uint64_t skip = (ArenaLayout::kLine - into_line) % ArenaLayout::kLine;
  communicator_.broadcast(std::span<std::uint64_t>(&skip, 1));
  base_ = static_cast<std::byte*>(shared) + skip;
  skip_ = static_cast<MPI_Aint>(skip);
}

void SharedArena::check_model() const {
  base::require(reinterpret_cast<std::uintptr_t>(base_) % ArenaLayout::kLine == 0,
                "the arena is not aligned on this rank");
  int* model = nullptr;
  int found = 0;
  check_mpi(MPI_Win_get_attr(window_, MPI_WIN_MODEL, static_cast<void*>(&model), &found),
            "MPI_Win_get_attr");
  if (found != 0 && *model == MPI_WIN_UNIFIED) return;
  throw Error(Code::kIo, "this MPI's shared windows do not have the unified memory model",
              "Use another MPI library for what shares memory between ranks");
}

// The rank that touches a page first has it on its part of the node's memory: spread over all.
void SharedArena::touch() {
  const std::size_t lines = layout_.bytes() / ArenaLayout::kLine;
  const auto ranks = static_cast<std::size_t>(communicator_.size());
  const auto rank = static_cast<std::size_t>(communicator_.rank());
  const std::size_t begin = lines * rank / ranks, end = lines * (rank + 1) / ranks;
  std::memset(base_ + begin * ArenaLayout::kLine, 0, (end - begin) * ArenaLayout::kLine);
  sync();
  communicator_.barrier();
  sync();
}

void SharedArena::accumulate(const std::string& name, std::span<const float> values) const {
  base::require(values.size_bytes() == layout_.size(name), "arena: a part of another size");
  const auto count = static_cast<int>(values.size());
  const MPI_Aint at = skip_ + static_cast<MPI_Aint>(layout_.offset(name));
  check_mpi(
      MPI_Accumulate(values.data(), count, MPI_FLOAT, 0, at, count, MPI_FLOAT, MPI_SUM, window_),
      "MPI_Accumulate");
  check_mpi(MPI_Win_flush(0, window_), "MPI_Win_flush");
}

void SharedArena::fetch(const std::string& name, std::span<float> values) const {
  base::require(values.size_bytes() == layout_.size(name), "arena: a part of another size");
  const auto count = static_cast<int>(values.size());
  const MPI_Aint at = skip_ + static_cast<MPI_Aint>(layout_.offset(name));
  check_mpi(MPI_Get(values.data(), count, MPI_FLOAT, 0, at, count, MPI_FLOAT, window_), "MPI_Get");
  check_mpi(MPI_Win_flush(0, window_), "MPI_Win_flush");
}

void SharedArena::sync() const {
  check_mpi(MPI_Win_sync(window_), "MPI_Win_sync");
}

SharedArena::~SharedArena() {
  if (window_ == MPI_WIN_NULL || std::uncaught_exceptions() > 0) return;
  MPI_Win_unlock_all(window_);
  MPI_Win_free(&window_);
}

}  // namespace tenfold::comm
