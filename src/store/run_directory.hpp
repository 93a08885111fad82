// A run's folder: manifest, metrics segments, checkpoints, logs; owned by one job at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "comm/communicator.hpp"

namespace tenfold::store {

class RunDirectory {
 public:
  /// Collective. Rank 0 creates the folder and its parts, or takes over an existing run's, and
  /// locks it. Throws on all ranks: Code::kIo (cannot create or write), Code::kUsage (in use: names
  /// host, process and since when; or not empty and not a run directory).
  RunDirectory(const comm::Communicator& communicator, std::filesystem::path path);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path manifest() const { return path_ / "manifest.h5"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoint"; }
  std::filesystem::path log(int rank) const;  ///< logs/rank-00003.log
  std::filesystem::path next_segment()
      const;  ///< metrics/seg-0001.h5, the first free number; rank 0
  bool existed() const {
    return existed_;
  }  ///< true when it already held a manifest; equal on all ranks
  /// Touch files, rank 0: true when NAME (STOP, CHECKPOINT) is there; consume removes it.
  bool touched(const std::string& name) const;
  void consume(const std::string& name) const;

 private:
  std::filesystem::path path_;
  bool existed_ = false;
  struct Lock;
  std::unique_ptr<Lock> lock_;
};

}  // namespace tenfold::store
