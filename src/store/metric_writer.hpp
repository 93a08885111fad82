// Metrics in HDF5 that others can read while the job runs (SWMR: single writer, many readers).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::store {

struct SeriesSpec {
  std::string name;  ///< "train/critic_loss": the group /metrics/<name>
  std::string unit;
  std::string description;
  std::string reduction = "mean";  ///< mean | sum | max | rank0
  std::string better;              ///< min | max | ""
  std::uint64_t columns = 1;       ///< values per row; value has shape [n] or [n, columns]
};

/// One segment file, one writer (rank 0), serial HDF5 driver. Rows are buffered and flushed every
/// flush_interval_s or 100 rows. Not thread-safe.
class MetricWriter {
 public:
  /// Creates the file with every series, /events, the schema's root attributes and
  /// resumed_from_step (-1: the run began at its beginning; else readers drop what older segments
  /// say of later steps), then starts SWMR. Throws Code::kIo, also when path exists.
  MetricWriter(const std::filesystem::path& path, std::vector<SeriesSpec> series,
               std::int64_t resumed_from_step = -1, double flush_interval_s = 2.0);
  ~MetricWriter();  ///< never throws; call close() to learn of failures
  MetricWriter(const MetricWriter&) = delete;
  MetricWriter& operator=(const MetricWriter&) = delete;

  /// Only buffers. Throws Code::kBug when the series is unknown or the number of values is not its
  /// columns.
  void append(std::string_view series, std::uint64_t step, double value);
  void append(std::string_view series, std::uint64_t step, const std::vector<double>& values);
  /// kind: start, resume, signal, checkpoint, fault, stop, end. Text is cut at 255 bytes.
  void event(std::uint64_t step, std::string_view kind, std::string_view text);
  /// Writes what is buffered if it is time and HDF5 is free (or force). Throws Code::kIo; what
  /// could not be written stays buffered, and the run may go on without metrics or stop, as the
  /// caller decides.
  void flush(bool force = false);
  void close();
  std::uint64_t rows_written() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tenfold::store
