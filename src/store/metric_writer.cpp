#include "store/metric_writer.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <system_error>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "comm/fault.hpp"
#include "store/h5_file.hpp"

namespace tenfold::store {

namespace {

constexpr std::uint64_t kChunkRows = 512;
constexpr std::uint64_t kFlushRows = 100;
constexpr double kRetrySeconds = 10;
constexpr std::size_t kKindBytes = 16;
constexpr std::size_t kTextBytes = 256;

/// A data set that grows by rows; the rows that are in the file, and its type in memory.
struct Column {
  Hid dataset;
  hid_t memory = -1;
  std::uint64_t width = 1;  ///< values per row
  bool matrix = false;      ///< [n, width] instead of [n]
};

Column create_column(hid_t group, const std::string& name, hid_t stored, hid_t memory,
                     std::uint64_t width, bool matrix) {
  const std::vector<std::uint64_t> dims =
      matrix ? std::vector<std::uint64_t>{0, width} : std::vector<std::uint64_t>{0};
  std::vector<std::uint64_t> limits = dims;
  limits[0] = H5S_UNLIMITED;
  std::vector<hsize_t> chunk(dims.begin(), dims.end());
  chunk[0] = std::max<std::uint64_t>(1, std::min(kChunkRows, (64U << 10) / width));
  Hid creation(H5Pcreate(H5P_DATASET_CREATE), &H5Pclose, "prepare", "data sets");
  check_h5(H5Pset_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data()), "prepare",
           "data sets");
  if (H5Tget_class(stored) == H5T_FLOAT) {
    // A row whose length became visible before its data reads as NaN, which readers cut off.
    const double missing = std::numeric_limits<double>::quiet_NaN();
    check_h5(H5Pset_fill_value(creation.get(), H5T_NATIVE_DOUBLE, &missing), "prepare",
             "data sets");
  }
  return {Hid(H5Dcreate2(group, name.c_str(), stored, make_space(dims, limits).get(), H5P_DEFAULT,
                         creation.get(), H5P_DEFAULT),
              &H5Dclose, "create data set", name),
          memory, width, matrix};
}

/// Writes rows [first, first + count) and makes them visible to readers.
void write_rows(const Column& column, std::uint64_t first, std::uint64_t count, const void* data,
                const std::string& name) {
  const hid_t dataset = column.dataset.get();
  const hsize_t extent[2] = {first + count, column.width};
  const hsize_t start[2] = {first, 0};
  const hsize_t size[2] = {count, column.width};
  const int rank = column.matrix ? 2 : 1;
  check_h5(H5Dset_extent(dataset, extent), "extend", name);
  const Hid space(H5Dget_space(dataset), &H5Sclose, "inspect", name);
  check_h5(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, size, nullptr),
           "select in", name);
  const Hid memory(H5Screate_simple(rank, size, nullptr), &H5Sclose, "prepare", name);
  check_h5(H5Dwrite(dataset, column.memory, memory.get(), space.get(), H5P_DEFAULT, data), "write",
           name);
  check_h5(H5Dflush(dataset), "flush", name);
}

/// At most room - 1 bytes, never half a UTF-8 character, padded with NUL to room.
void append_fixed(std::string_view text, std::size_t room, std::string* to) {
  text = text.substr(0, text.find('\0'));
  std::size_t length = std::min(text.size(), room - 1);
  if (length < text.size()) {
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) --length;
  }
  to->append(text.substr(0, length));
  to->append(room - length, '\0');
}

}  // namespace

struct MetricWriter::State {
  struct Row {
    Column step, wall, value;
    SeriesSpec spec;
    std::uint64_t written = 0;
    std::vector<std::uint64_t> steps;
    std::vector<double> walls, values;
  };
  struct Events {
    Column step, wall, kind, text;
    std::uint64_t written = 0;
    std::vector<std::uint64_t> steps;
    std::vector<double> walls;
    std::string kinds, texts;
  };

  std::filesystem::path path;
  double interval_s = 0;
  Hid file;
  Hid kind_type, text_type;  // outlive the columns that use them
  std::map<std::string, Row, std::less<>> series;
  Events events;
  std::uint64_t pending = 0, total = 0;
  double last_flush = 0;
  bool failing = false;  ///< the last write failed

  void create_series(hid_t metrics, SeriesSpec spec);
  void create_events();
  void write_series(Row* row, const std::string& name);
  void write_events();
  void close();
};

void MetricWriter::State::create_series(hid_t metrics, SeriesSpec spec) {
  base::require(spec.columns > 0 && !series.contains(spec.name),
                "metric series '" + spec.name + "' is declared twice or has no columns");
  Hid group = create_group(metrics, spec.name);
  write_text(group.get(), "unit", spec.unit);
  write_text(group.get(), "description", spec.description);
  write_text(group.get(), "reduction", spec.reduction);
  write_text(group.get(), "better", spec.better);
  Row row;
  row.step = create_column(group.get(), "step", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, false);
  row.wall = create_column(group.get(), "wall_s", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, false);
  row.value = create_column(group.get(), "value", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, spec.columns,
                            spec.columns > 1);
  group.close(spec.name);
  const std::string name = spec.name;
  row.spec = std::move(spec);
  series.emplace(name, std::move(row));
}

void MetricWriter::State::create_events() {
  kind_type = store::text_type(kKindBytes);
  text_type = store::text_type(kTextBytes);
  Hid group = create_group(file.get(), "events");
  events.step = create_column(group.get(), "step", H5T_STD_U64LE, H5T_NATIVE_UINT64, 1, false);
  events.wall = create_column(group.get(), "wall_s", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 1, false);
  events.kind = create_column(group.get(), "kind", kind_type.get(), kind_type.get(), 1, false);
  events.text = create_column(group.get(), "text", text_type.get(), text_type.get(), 1, false);
  group.close("/events");
}

void MetricWriter::State::write_series(Row* row, const std::string& name) {
  const std::uint64_t count = row->steps.size();
  if (count == 0) return;
  // `step` last: its length is the number of complete rows.
  write_rows(row->value, row->written, count, row->values.data(), name);
  write_rows(row->wall, row->written, count, row->walls.data(), name);
  write_rows(row->step, row->written, count, row->steps.data(), name);
  row->written += count;
  row->steps.clear();
  row->walls.clear();
  row->values.clear();
  pending -= count;
  total += count;
}

void MetricWriter::State::write_events() {
  const std::uint64_t count = events.steps.size();
  if (count == 0) return;
  write_rows(events.text, events.written, count, events.texts.data(), "/events/text");
  write_rows(events.kind, events.written, count, events.kinds.data(), "/events/kind");
  write_rows(events.wall, events.written, count, events.walls.data(), "/events/wall_s");
  write_rows(events.step, events.written, count, events.steps.data(), "/events/step");
  events.written += count;
  events.steps.clear();
  events.walls.clear();
  events.kinds.clear();
  events.texts.clear();
  pending -= count;
}

void MetricWriter::State::close() {
  for (auto& [name, row] : series) {
    row.value.dataset.close(name);
    row.wall.dataset.close(name);
    row.step.dataset.close(name);
  }
  events.text.dataset.close("/events/text");
  events.kind.dataset.close("/events/kind");
  events.wall.dataset.close("/events/wall_s");
  events.step.dataset.close("/events/step");
  file.close("the file");
}

MetricWriter::MetricWriter(const std::filesystem::path& path, std::vector<SeriesSpec> series,
                           std::int64_t resumed_from_step, double flush_interval_s)
    : state_(std::make_unique<State>()) {
  const Hdf5Session session;
  state_->path = path;
  state_->interval_s = flush_interval_s;
  state_->last_flush = base::monotonic_now();
  with_path(path, [&] {
    state_->file = create_file(path, H5F_ACC_EXCL, serial_access(H5F_LIBVER_V110, true));
    try {
      write_schema(state_->file.get());
      write_integer(state_->file.get(), "resumed_from_step", resumed_from_step);
      Hid metrics = create_group(state_->file.get(), "metrics");
      for (auto& spec : series) state_->create_series(metrics.get(), std::move(spec));
      metrics.close("/metrics");
      state_->create_events();
      check_h5(H5Fstart_swmr_write(state_->file.get()), "start SWMR on", "the file");
    } catch (...) {
      state_.reset();
      std::error_code ignored;
      std::filesystem::remove(path, ignored);
      throw;
    }
  });
}

MetricWriter::~MetricWriter() {
  try {
    close();
  } catch (const std::exception&) {
    // The destructor's promise; whoever wants to know calls close().
  }
  const Hdf5Session session;
  state_.reset();
}

void MetricWriter::append(std::string_view series, std::uint64_t step, double value) {
  append(series, step, std::vector<double>{value});
}

void MetricWriter::append(std::string_view series, std::uint64_t step,
                          const std::vector<double>& values) {
  const auto found = state_->series.find(series);
  if (found == state_->series.end()) {
    base::require(false, fmt::format("metric series '{}' was not declared", series));
  }
  auto& row = found->second;
  if (values.size() != row.spec.columns) {
    base::require(false, fmt::format("metric series '{}' has {} columns, not {}", series,
                                     row.spec.columns, values.size()));
  }
  row.steps.push_back(step);
  row.walls.push_back(base::wall_now());
  row.values.insert(row.values.end(), values.begin(), values.end());
  ++state_->pending;
}

void MetricWriter::event(std::uint64_t step, std::string_view kind, std::string_view text) {
  auto& events = state_->events;
  events.steps.push_back(step);
  events.walls.push_back(base::wall_now());
  append_fixed(kind, kKindBytes, &events.kinds);
  append_fixed(text, kTextBytes, &events.texts);
  ++state_->pending;
}

void MetricWriter::flush(bool force) {
  const double waited = base::monotonic_now() - state_->last_flush;
  const bool due = state_->failing ? waited >= std::max(state_->interval_s, kRetrySeconds)
                                   : state_->pending >= kFlushRows || waited >= state_->interval_s;
  if (state_->pending == 0 || !(force || due) || !state_->file) return;
  // While a checkpoint is written behind the run's back, rows wait here rather than the run there.
  const Hdf5Session session = force ? Hdf5Session() : Hdf5Session(std::try_to_lock);
  if (!session.owns()) return;
  state_->last_flush = base::monotonic_now();
  state_->failing = true;
  with_path(state_->path, [&] {
    comm::fault_point("metrics.flush");
    for (auto& [name, row] : state_->series) state_->write_series(&row, name);
    state_->write_events();
  });
  state_->failing = false;
}

void MetricWriter::close() {
  if (!state_->file) return;
  const Hdf5Session session;
  std::exception_ptr failure;
  try {
    flush(true);
  } catch (const base::Error&) {
    failure = std::current_exception();
  }
  with_path(state_->path, [&] { state_->close(); });
  if (failure) std::rethrow_exception(failure);
}

std::uint64_t MetricWriter::rows_written() const {
  return state_->total;
}

}  // namespace tenfold::store
