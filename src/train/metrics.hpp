// Named numbers of a run: accumulated on every rank, reduced over ranks, written by rank 0.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "store/metric_writer.hpp"

namespace tenfold::train {

class Metrics {
 public:
  explicit Metrics(comm::Communicator communicator) : communicator_(std::move(communicator)) {}

  /// Build phase only, same order on all ranks. Series with reduction mean, sum or max are fed with
  /// add and published together; rank0 series are written row by row.
  void declare(store::SeriesSpec spec);
  /// Declares a series of reduction rank0: better is "max", "min" or "", columns its width.
  void declare_rank0(std::string name, std::string unit, std::string description,
                     std::string better = {}, std::uint64_t columns = 1);
  /// Asks count, a number that only grows, at every publish, and adds by how much it has grown on
  /// this rank. Build phase only; a series of reduction sum.
  void follow(std::string_view name, std::function<double()> count);
  /// Adds a sample to the present interval, on this rank. Throws Code::kBug for an unknown name.
  void add(std::string_view name, double value);
  /// Writes one row at once (rank 0 writes, other ranks do nothing). Series of reduction rank0.
  void row(std::string_view name, std::uint64_t step, const std::vector<double>& values);
  void event(std::uint64_t step, std::string_view kind, std::string_view text);
  /// Collective: reduces what was added since the last call over samples and ranks and appends a
  /// row to each series that got any.
  void publish(std::uint64_t step);
  /// Throws Code::kUsage naming the option when no declared series with a better direction has this
  /// name.
  const store::SeriesSpec& judged(const std::string& name, std::string_view option) const;
  /// Last published or written value, rank 0; NaN when none yet.
  double last(std::string_view name) const;
  /// Series shown in the progress line, in order.
  void headline(std::vector<std::string> names) { headline_ = std::move(names); }
  const std::vector<std::string>& headline() const { return headline_; }

  /// Rank 0 opens a segment; called by the library after build. Throws Code::kIo.
  void open(const std::filesystem::path& segment, std::int64_t resumed_from_step,
            double flush_interval_s);
  /// Throws Code::kIo on rank 0.
  void flush(bool force);
  void close();

 private:
  struct Slot {
    store::SeriesSpec spec;
    double sum = 0, count = 0, max = 0, last = 0;
    bool has_last = false;
  };
  struct Followed {
    std::string name;
    std::function<double()> count;
    double seen = 0;
  };
  Slot& slot(std::string_view name);

  comm::Communicator communicator_;
  std::vector<Slot> slots_;
  std::vector<Followed> followed_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::vector<std::string> headline_;
  std::unique_ptr<store::MetricWriter> writer_;
};

}  // namespace tenfold::train
