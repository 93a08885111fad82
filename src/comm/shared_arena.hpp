// Memory that the ranks of one node share: named arrays that all may read and write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace tenfold::comm {

struct ArenaPart {
  std::string name;
  std::size_t bytes = 0;
};

/// Where each part lies: one behind the other, each on cache lines of its own, so that ranks that
/// write different parts do not take lines from each other.
class ArenaLayout {
 public:
  static constexpr std::size_t kLine = 64;
  /// Throws Code::kBug on a name that comes twice.
  explicit ArenaLayout(const std::vector<ArenaPart>& parts);
  std::size_t bytes() const { return bytes_; }  ///< of all, a multiple of kLine
  /// Throws Code::kBug for an unknown name.
  std::size_t offset(const std::string& name) const { return find(name).offset; }
  std::size_t size(const std::string& name) const { return find(name).bytes; }

 private:
  struct Place {
    std::size_t offset, bytes;
  };
  const Place& find(const std::string& name) const;
  std::map<std::string, Place> places_;
  std::size_t bytes_ = 0;
};

/// One MPI shared window, zeroed at first. Plain reads and writes of what another rank may write at
/// the same time are races: use std::atomic_ref with relaxed order, which costs nothing on floats
/// and 64-bit integers; sync() and a barrier between phases.
class SharedArena {
 public:
  /// Collective; parts are the same on all ranks. Throws on all ranks: Code::kUsage when they are
  /// on several nodes or the node has no room for it, Code::kIo when MPI's memory model does not
  /// do.
  SharedArena(const Communicator& communicator, const std::vector<ArenaPart>& parts);
  /// Collective, unless an exception is on its way: then other ranks may never come, and the window
  /// is left to the end of the process.
  ~SharedArena();
  SharedArena(const SharedArena&) = delete;
  SharedArena& operator=(const SharedArena&) = delete;

  /// A part as an array of T; the same memory on all ranks, aligned to ArenaLayout::kLine.
  template <class T>
  std::span<T> part(const std::string& name) const {
    return {reinterpret_cast<T*>(base_ + layout_.offset(name)), layout_.size(name) / sizeof(T)};
  }
  /// Adds to a part of floats, or reads it, through MPI's one-sided operations, atomic per element
  /// among themselves; done when they return. Not with plain writes to that part at the same time.
  void accumulate(const std::string& name, std::span<const float> values) const;
  void fetch(const std::string& name, std::span<float> values) const;
  /// Makes this rank's writes visible to the others, and theirs to it, once all have passed a
  /// barrier after it. Not collective.
  void sync() const;

 private:
  void allocate();
  void check_model() const;
  void touch();

  Communicator communicator_;
  ArenaLayout layout_;
  MPI_Win window_ = MPI_WIN_NULL;
  std::byte* base_ = nullptr;
  MPI_Aint skip_ = 0;  ///< bytes of rank 0's memory before base_
};

/// Throws Code::kUsage unless all of so many ranks are on this node.
void require_one_node(int ranks_of_node, int ranks);

}  // namespace tenfold::comm
