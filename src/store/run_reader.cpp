#include "store/run_reader.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <system_error>

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/h5_file.hpp"

namespace tenfold::store {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

Hid open_dataset(hid_t group, const std::string& name) {
  return {H5Dopen2(group, name.c_str(), H5P_DEFAULT), &H5Dclose, "open data set", name};
}

/// Rows that are in the file: a length alone may be ahead of the data, or damaged.
std::uint64_t stored_rows(const Hid& dataset, const std::string& name, std::uint64_t row_bytes) {
  const auto dims = dimensions(dataset.get(), name);
  if (dims.empty()) throw Error(Code::kData, "'" + name + "' is not a column");
  return std::min<std::uint64_t>(dims[0], H5Dget_storage_size(dataset.get()) / row_bytes);
}

/// The first rows of a column; values: how many of the memory type that makes.
void read_raw(const Hid& dataset, const std::string& name, hid_t memory, std::uint64_t rows,
              std::uint64_t values, void* into) {
  if (values == 0) return;
  const Hid space(H5Dget_space(dataset.get()), &H5Sclose, "inspect", name);
  const auto dims = dimensions(dataset.get(), name);
  const std::vector<hsize_t> start(dims.size(), 0);
  std::vector<hsize_t> count(dims.begin(), dims.end());
  count[0] = rows;
  check_h5(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                               nullptr),
           "select in", name);
  const Hid flat = make_space({&values, 1});
  check_h5(H5Dread(dataset.get(), memory, flat.get(), space.get(), H5P_DEFAULT, into), "read",
           name);
}

template <class T>
std::vector<T> read_rows(const Hid& dataset, const std::string& name, hid_t memory,
                         std::uint64_t rows, std::uint64_t width) {
  std::vector<T> values(rows * width);
  read_raw(dataset, name, memory, rows, values.size(), values.data());
  return values;
}

std::uint64_t complete_rows(const std::vector<double>& wall_s) {
  const auto torn = std::find_if_not(wall_s.begin(), wall_s.end(),
                                     [](double value) { return std::isfinite(value); });
  return static_cast<std::uint64_t>(torn - wall_s.begin());
}

Series read_series(hid_t metrics, const std::string& name) {
  const Hid group = open_group(metrics, name);
  Series series;
  series.name = name;
  series.unit = read_text(group.get(), "unit");
  series.description = read_text(group.get(), "description");
  series.better = read_text(group.get(), "better");
  const Hid step = open_dataset(group.get(), "step");
  const Hid wall = open_dataset(group.get(), "wall_s");
  const Hid value = open_dataset(group.get(), "value");
  const auto dims = dimensions(value.get(), name);
  if (dims.empty() || dims.size() > 2 || (dims.size() == 2 && dims[1] == 0)) {
    throw Error(Code::kData, "'" + name + "' has a value of an unknown shape");
  }
  series.columns = dims.size() == 2 ? dims[1] : 1;
  const std::uint64_t rows = std::min({stored_rows(step, name, sizeof(std::uint64_t)),
                                       stored_rows(wall, name, sizeof(double)),
                                       stored_rows(value, name, series.columns * sizeof(double))});
  series.wall_s = read_rows<double>(wall, name, H5T_NATIVE_DOUBLE, rows, 1);
  const std::uint64_t whole = complete_rows(series.wall_s);
  series.wall_s.resize(whole);
  series.step = read_rows<std::uint64_t>(step, name, H5T_NATIVE_UINT64, whole, 1);
  series.value = read_rows<double>(value, name, H5T_NATIVE_DOUBLE, whole, series.columns);
  return series;
}

Hid column_text_type(const Hid& dataset, const std::string& name) {
  Hid type(H5Dget_type(dataset.get()), &H5Tclose, "inspect", name);
  const std::size_t width = H5Tget_size(type.get());
  if (H5Tget_class(type.get()) != H5T_STRING || width == 0 || width > 4096) {
    throw Error(Code::kData, "'" + name + "' is not a column of texts");
  }
  return type;
}

std::vector<std::string> read_texts(const Hid& dataset, const std::string& name, const Hid& type,
                                    std::uint64_t rows) {
  const std::size_t width = H5Tget_size(type.get());
  std::vector<char> bytes(rows * width);
  read_raw(dataset, name, type.get(), rows, rows, bytes.data());
  std::vector<std::string> texts;
  for (std::uint64_t row = 0; row < rows; ++row) {
    const char* text = bytes.data() + row * width;
    texts.emplace_back(text, ::strnlen(text, width));
  }
  return texts;
}

std::vector<Event> read_event_rows(hid_t file) {
  const Hid group = open_group(file, "events");
  const Hid step = open_dataset(group.get(), "step");
  const Hid wall = open_dataset(group.get(), "wall_s");
  const Hid kind = open_dataset(group.get(), "kind");
  const Hid text = open_dataset(group.get(), "text");
  const Hid kind_type = column_text_type(kind, "kind");
  const Hid text_type = column_text_type(text, "text");
  const std::uint64_t rows = std::min({stored_rows(step, "step", sizeof(std::uint64_t)),
                                       stored_rows(wall, "wall_s", sizeof(double)),
                                       stored_rows(kind, "kind", H5Tget_size(kind_type.get())),
                                       stored_rows(text, "text", H5Tget_size(text_type.get()))});
  const auto walls = read_rows<double>(wall, "wall_s", H5T_NATIVE_DOUBLE, rows, 1);
  const std::uint64_t whole = complete_rows(walls);
  const auto steps = read_rows<std::uint64_t>(step, "step", H5T_NATIVE_UINT64, whole, 1);
  const auto kinds = read_texts(kind, "kind", kind_type, whole);
  const auto texts = read_texts(text, "text", text_type, whole);
  std::vector<Event> events;
  for (std::uint64_t row = 0; row < whole; ++row) {
    events.push_back({steps[row], walls[row], kinds[row], texts[row]});
  }
  return events;
}

/// Series are the groups that hold a data set `step`; names may have several parts.
std::vector<std::string> series_names(hid_t metrics) {
  static constexpr std::string_view kEnd = "/step";
  std::vector<std::string> names;
  for (const auto& path : dataset_names(metrics)) {
    if (path.ends_with(kEnd)) names.push_back(path.substr(0, path.size() - kEnd.size()));
  }
  return names;
}

std::vector<fs::path> segment_files(const fs::path& run) {
  std::error_code failure;
  if (!fs::is_directory(run, failure)) {
    throw Error(Code::kData, fmt::format("{} is not a run directory", run.string()),
                "Name a folder made by --run-dir");
  }
  std::vector<fs::path> files;
  for (fs::directory_iterator it(run / "metrics", failure), end; !failure && it != end;
       it.increment(failure)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("seg-") && name.ends_with(".h5")) files.push_back(it->path());
  }
  std::sort(files.begin(), files.end(), [](const fs::path& a, const fs::path& b) {
    const auto first = a.filename().string();
    const auto second = b.filename().string();
    return std::pair(first.size(), first) < std::pair(second.size(), second);
  });
  return files;
}

void read_all_series(hid_t file, Segment* segment) {
  const Hid metrics = open_group(file, "metrics");
  for (const auto& name : series_names(metrics.get())) {
    segment->series.push_back(read_series(metrics.get(), name));
  }
}

void read_all_events(hid_t file, Segment* segment) {
  segment->events = read_event_rows(file);
}

Segment read_one(const fs::path& path, const std::function<void(hid_t, Segment*)>& read) {
  // SWMR reading works on live files and on those of killed jobs, which plain reading refuses.
  const Hid file =
      open_file(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, serial_access(H5F_LIBVER_V110, false));
  check_schema(file.get());
  Segment segment;
  segment.resumed_from = read_integer(file.get(), "resumed_from_step");
  read(file.get(), &segment);
  return segment;
}

/// Every segment that can be read, oldest first.
std::vector<Segment> read_segments(const fs::path& run, std::vector<std::string>* warnings,
                                   const std::function<void(hid_t, Segment*)>& read) {
  const Hdf5Session session;
  std::vector<Segment> segments;
  for (const auto& path : segment_files(run)) {
    try {
      segments.push_back(read_one(path, read));
    } catch (const Error& error) {
      if (warnings != nullptr) {
        warnings->push_back(fmt::format("{} skipped: {}", path.string(), error.message()));
      }
    }
  }
  return segments;
}

/// Drops the rows from which `drop(step)` is true on.
void drop_rows(Series* series, const std::function<bool(std::uint64_t)>& drop) {
  Series kept = *series;
  kept.step.clear();
  kept.wall_s.clear();
  kept.value.clear();
  for (std::size_t row = 0; row < series->step.size(); ++row) {
    if (drop(series->step[row])) continue;
    kept.step.push_back(series->step[row]);
    kept.wall_s.push_back(series->wall_s[row]);
    const auto first = series->value.begin() + static_cast<std::ptrdiff_t>(row * series->columns);
    kept.value.insert(kept.value.end(), first,
                      first + static_cast<std::ptrdiff_t>(series->columns));
  }
  *series = std::move(kept);
}

const Series* find_series(const std::vector<Series>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Series& series) { return series.name == name; });
  return found == all.end() ? nullptr : &*found;
}

void join_segment(std::vector<Series>* joined, Segment segment,
                  std::vector<std::string>* warnings) {
  for (Series& older : *joined) {
    const Series* newer = find_series(segment.series, older.name);
    const auto again = [&](std::uint64_t step) {
      return newer != nullptr &&
             std::find(newer->step.begin(), newer->step.end(), step) != newer->step.end();
    };
    const auto resumed =
        static_cast<std::uint64_t>(std::max<std::int64_t>(segment.resumed_from, 0));
    const bool rewritten = segment.resumed_from < 0 || again(resumed);
    drop_rows(&older,
              [&](std::uint64_t step) { return step > resumed || (step == resumed && rewritten); });
    if (newer != nullptr && newer->columns != older.columns) {
      if (warnings != nullptr && !older.step.empty()) {
        warnings->push_back(fmt::format("'{}' has {} columns in older segments, which are left out",
                                        older.name, older.columns));
      }
      drop_rows(&older, [](std::uint64_t) { return true; });
      older.columns = newer->columns;
    }
  }
  for (Series& newer : segment.series) {
    auto found = std::find_if(joined->begin(), joined->end(),
                              [&](const Series& series) { return series.name == newer.name; });
    if (found == joined->end()) {
      joined->push_back(std::move(newer));
      continue;
    }
    found->step.insert(found->step.end(), newer.step.begin(), newer.step.end());
    found->wall_s.insert(found->wall_s.end(), newer.wall_s.begin(), newer.wall_s.end());
    found->value.insert(found->value.end(), newer.value.begin(), newer.value.end());
  }
}

}  // namespace

std::map<std::string, std::string> read_manifest(const fs::path& run) {
  const Hdf5Session session;
  const fs::path path = run / "manifest.h5";
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) {
    throw Error(Code::kData,
                fmt::format("{} is not a run directory (it has no manifest.h5)", run.string()),
                "Name a folder made by --run-dir");
  }
  std::map<std::string, std::string> manifest;
  with_path(path, [&] {
    const Hid file = open_file(path, H5F_ACC_RDONLY, serial_access(H5F_LIBVER_V18, false));
    check_schema(file.get());
    const Hid group = open_group(file.get(), "manifest");
    for (const auto& name : attribute_names(group.get())) {
      manifest[name] = read_text(group.get(), name);
    }
  });
  return manifest;
}

Segment read_segment(const fs::path& file) {
  const Hdf5Session session;
  Segment segment;
  with_path(file, [&] {
    segment = read_one(file, [](hid_t open, Segment* into) {
      read_all_series(open, into);
      read_all_events(open, into);
    });
  });
  return segment;
}

std::vector<Series> read_metrics(const fs::path& run, std::vector<std::string>* warnings) {
  std::vector<Series> joined;
  auto segments = read_segments(run, warnings, &read_all_series);
  for (auto& segment : segments) join_segment(&joined, std::move(segment), warnings);
  return joined;
}

std::vector<Event> read_events(const fs::path& run, std::vector<std::string>* warnings) {
  std::vector<Event> joined;
  auto segments = read_segments(run, warnings, &read_all_events);
  for (auto& segment : segments) {
    joined.insert(joined.end(), segment.events.begin(), segment.events.end());
  }
  return joined;
}

}  // namespace tenfold::store
