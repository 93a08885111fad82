// Reading runs from C++ (the tenfold tool): manifests, and metrics of finished, killed and running
// jobs. analysis/ has the Python twin.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tenfold::store {

struct Series {
  std::string name, unit, description, better;
  std::vector<std::uint64_t> step;
  std::vector<double> wall_s;
  std::vector<double> value;  ///< row-major [n, columns]
  std::uint64_t columns = 1;
};
struct Event {
  std::uint64_t step = 0;
  double wall_s = 0;
  std::string kind, text;
};
/// What one segment file says.
struct Segment {
  std::int64_t resumed_from = -1;  ///< step; -1: the run's beginning
  std::vector<Series> series;
  std::vector<Event> events;
};

/// Attributes of /manifest as text. Throws Code::kData (not a run, wrong schema) or Code::kIo.
std::map<std::string, std::string> read_manifest(const std::filesystem::path& run);
/// One metrics/seg-NNNN.h5, also while it is written. Throws Code::kData or Code::kIo.
Segment read_segment(const std::filesystem::path& file);
/// All segments joined: rows that a resumed run wrote again replace those of the segments before it
/// (of older segments, everything after the resume step is dropped, and what is at that step when
/// the newer segment has it too; all of it when the newer segment began at the run's beginning). A
/// segment that cannot be read is skipped and named in warnings.
std::vector<Series> read_metrics(const std::filesystem::path& run,
                                 std::vector<std::string>* warnings);
/// Events of all segments, in order; none is dropped.
std::vector<Event> read_events(const std::filesystem::path& run,
                               std::vector<std::string>* warnings);

}  // namespace tenfold::store
