#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.hpp"
#include "store/checkpoint_store.hpp"
#include "tenfold/commands.hpp"
#include "tenfold/number_summary.hpp"
#include "tenfold/run_overview.hpp"
#include "tenfold/target.hpp"
#include "tenfold/tensor_report.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {

namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

void print_entry(const std::string& key, const std::string& value) {
  print(fmt::format("  {:<15} {}\n", base::printable(key), base::printable(value)));
}

struct Question {
  std::string path;  ///< what to look at inside; "": everything
  std::size_t shard = 0;
  std::size_t rows = 0;
};

[[noreturn]] void refuse_path(const fs::path& where, const std::string& path,
                              const std::vector<std::string>& names) {
  const std::string near = base::nearest(path, names);
  throw Error(Code::kData,
              fmt::format("{} holds nothing named '{}'", where.string(), base::printable(path)),
              near.empty() ? fmt::format("`tenfold inspect {}` lists what it holds", where.string())
                           : fmt::format("Did you mean '{}'?", base::printable(near)));
}

std::vector<std::string> tensor_names(const StateFile& file) {
  std::vector<std::string> names;
  for (const StoredTensor& each : file.tensors()) names.push_back(each.name);
  return names;
}

void report_wrong_digests(const fs::path& file, const TensorTable& table) {
  if (table.wrong == 0) return;
  throw Error(Code::kCheckpoint, fmt::format("{}: {} of {} digests do not hold", file.string(),
                                             table.wrong, table.digests));
}

/// False when nothing in the file has the path that was asked for.
bool inspect_state(const fs::path& path, const Question& question) {
  const StateFile file(path);
  if (const StoredTensor* tensor = file.find(question.path)) {
    print(tensor_text(file, *tensor, question.shard, question.rows));
    return true;
  }
  const TensorTable table = tensor_table(file, question.path);
  if (table.tensors == 0 && !question.path.empty()) return false;
  print(fmt::format("{}: step {}, {} virtual shards\n", base::printable(path.string()), file.step(),
                    file.shards()));
  if (question.path.empty()) {
    for (const auto& [key, value] : file.identities()) print_entry(key, value);
  }
  print(table.text);
  print(fmt::format("{} data sets; {} values not finite; {}\n", table.tensors, table.not_finite,
                    table.wrong == 0 ? fmt::format("all {} digests hold", table.digests)
                                     : fmt::format("{} DIGESTS WRONG", table.wrong)));
  report_wrong_digests(path, table);
  return true;
}

bool inspect_checkpoint(const fs::path& folder, const Question& question) {
  // HDF5 may crash or loop on a damaged file: it sees only what has its digest.
  const store::CommitRecord record = store::verify_checkpoint(folder);
  const bool found = inspect_state(folder / "state.h5", question);
  if (found && !record.needs.empty()) {
    print(
        fmt::format("Of rings only the new rows are here (\"new of\"); those before are in {} from "
                    "step {} to {}\n",
                    record.needs.size() == 1 ? std::string("the checkpoint")
                                             : fmt::format("{} checkpoints", record.needs.size()),
                    record.needs.front().step, record.needs.back().step));
  }
  return found;
}

void print_series(const store::Series& series, std::size_t rows) {
  NumberSummary summary;
  summary.add(std::span<const double>(series.value));
  print(fmt::format(
      "{}: {} rows of {} {}{}{}\n  {}\n  {} not finite; least {}, greatest {}, mean {}\n",
      base::printable(series.name), series.step.size(), series.columns,
      series.columns == 1 ? "value" : "values", series.unit.empty() ? "" : ", in ",
      base::printable(series.unit), base::printable(series.description), summary.not_finite(),
      short_number(summary.least()), short_number(summary.greatest()),
      short_number(summary.mean())));
  TextTable table({">step", "time (UTC)", ">value"});
  const std::size_t shown = std::min(rows, series.step.size());
  for (std::size_t row = 0; row < shown; ++row) {
    std::string values;
    for (std::uint64_t column = 0; column < series.columns; ++column) {
      values += (column == 0 ? "" : " ") +
                fmt::format("{:.9g}", series.value[row * series.columns + column]);
    }
    table.add({std::to_string(series.step[row]), utc_text(series.wall_s[row]), values});
  }
  print(table.text("  "));
  if (shown < series.step.size()) {
    print(fmt::format("  ... {} more rows (--rows shows more)\n", series.step.size() - shown));
  }
}

void print_series_table(const std::vector<store::Series>& all, const std::string& below) {
  TextTable table({"series", ">rows", ">columns", ">least", ">greatest", ">mean", "unit", ""});
  for (const store::Series& each : all) {
    if (!below.empty() && !each.name.starts_with(below + "/")) continue;
    NumberSummary summary;
    summary.add(std::span<const double>(each.value));
    table.add({base::printable(each.name), std::to_string(each.step.size()),
               std::to_string(each.columns), short_number(summary.least()),
               short_number(summary.greatest()), short_number(summary.mean()),
               base::printable(each.unit),
               summary.not_finite() > 0 ? fmt::format("{} NOT FINITE", summary.not_finite()) : ""});
  }
  print(table.empty() ? "  no series\n" : table.text("  "));
}

bool inspect_series(const std::vector<store::Series>& all, const Question& question) {
  const auto named = std::ranges::find(all, question.path, &store::Series::name);
  if (named != all.end()) {
    print_series(*named, question.rows);
    return true;
  }
  const auto below = [&](const store::Series& each) {
    return question.path.empty() || each.name.starts_with(question.path + "/");
  };
  if (std::ranges::none_of(all, below)) return false;
  print_series_table(all, question.path);
  return true;
}

bool inspect_manifest(const std::map<std::string, std::string>& manifest,
                      const Question& question) {
  if (!question.path.empty()) {
    const auto found = manifest.find(question.path);
    if (found == manifest.end()) return false;
    print(base::printable(found->second) + "\n");
    return true;
  }
  for (const auto& [key, value] : manifest) {
    print_entry(key, key == "config"
                         ? fmt::format("{} bytes of JSON (`inspect ... config`)", value.size())
                         : value);
  }
  return true;
}

Code inspect_run(const fs::path& run, const Question& question) {
  const auto manifest = read_manifest_of(run);
  std::vector<std::string> warnings;
  const auto series = store::read_metrics(run, &warnings);
  const fs::path checkpoint = newest_checkpoint(run);
  if (!question.path.empty()) {
    const bool found = inspect_series(series, question) || inspect_manifest(manifest, question) ||
                       (!checkpoint.empty() && inspect_checkpoint(checkpoint, question));
    if (!found) {
      std::vector<std::string> names;
      names.reserve(series.size() + manifest.size());
      for (const store::Series& each : series) names.push_back(each.name);
      for (const auto& each : manifest) names.push_back(each.first);
      if (!checkpoint.empty()) {
        for (auto& each : tensor_names(StateFile(checkpoint / "state.h5"))) names.push_back(each);
      }
      refuse_path(run, question.path, names);
    }
    print_warnings(warnings);
    return Code::kOk;
  }
  print(fmt::format("{}/manifest.h5\n", base::printable(run.string())));
  inspect_manifest(manifest, question);
  print(fmt::format("\n{}/metrics, all segments joined\n", base::printable(run.string())));
  print_series_table(series, "");
  print_warnings(warnings);
  print("\n");
  if (checkpoint.empty()) {
    print("no committed checkpoint\n");
  } else {
    inspect_checkpoint(checkpoint, question);
  }
  return Code::kOk;
}

/// A manifest under whatever name.
std::map<std::string, std::string> read_manifest_file(const fs::path& path) {
  const store::Hdf5Session session;
  std::map<std::string, std::string> manifest;
  store::with_path(path, [&] {
    const store::Hid file =
        store::open_file(path, H5F_ACC_RDONLY, store::serial_access(H5F_LIBVER_V18, false));
    const store::Hid group = store::open_group(file.get(), "manifest");
    for (const auto& name : store::attribute_names(group.get())) {
      manifest[name] = store::read_text(group.get(), name);
    }
  });
  return manifest;
}

/// Which of the files of a run this is; HDF5 has to say so itself.
std::string file_kind(const fs::path& path) {
  const store::Hdf5Session session;
  std::string kind;
  store::with_path(path, [&] {
    // The way that also opens what a job is writing now.
    const store::Hid file = store::open_file(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ,
                                             store::serial_access(H5F_LIBVER_V110, false));
    store::check_schema(file.get());
    for (const char* each : {"manifest", "metrics", "checkpoint"}) {
      if (kind.empty() && store::path_exists(file.get(), each)) kind = each;
    }
  });
  return kind;
}

Code inspect_file(const fs::path& path, const Question& question) {
  std::string kind;
  try {
    kind = file_kind(path);
  } catch (const Error& error) {
    if (error.code() != Code::kIo || ::access(path.c_str(), R_OK) != 0) throw;
    throw Error(Code::kData, error.message(), "It is damaged, or no HDF5 file");
  }
  bool found = false;
  std::vector<std::string> names;
  if (kind == "manifest") {
    const auto manifest = read_manifest_file(path);
    for (const auto& each : manifest) names.push_back(each.first);
    found = inspect_manifest(manifest, question);
  } else if (kind == "metrics") {
    const store::Segment segment = store::read_segment(path);
    for (const store::Series& each : segment.series) names.push_back(each.name);
    if (question.path.empty()) {
      print(fmt::format("{}: {}, {} events\n", base::printable(path.string()),
                        segment.resumed_from < 0
                            ? std::string("from the run's beginning")
                            : fmt::format("resumed from step {}", segment.resumed_from),
                        segment.events.size()));
    }
    found = inspect_series(segment.series, question) || question.path.empty();
  } else if (kind == "checkpoint") {
    found = inspect_state(path, question);
    if (!found) names = tensor_names(StateFile(path));
  } else {
    throw Error(Code::kData, fmt::format("{} holds neither a manifest nor metrics nor a checkpoint",
                                         path.string()));
  }
  if (!found) refuse_path(path, question.path, names);
  return Code::kOk;
}

Code run_inspect(const Arguments& arguments) {
  const Target target = find_target(arguments.operands.front());
  Question question;
  if (arguments.operands.size() > 1) question.path = arguments.operands[1];
  if (question.path.ends_with('/')) question.path.pop_back();
  question.shard = static_cast<std::size_t>(arguments.whole("shard", 0, 0, 1'000'000));
  question.rows = static_cast<std::size_t>(arguments.whole("rows", 8, 0, 1'000'000'000));
  switch (target.kind) {
    case Target::Kind::kRun:
      return inspect_run(target.path, question);
    case Target::Kind::kFile:
      return inspect_file(target.path, question);
    case Target::Kind::kCheckpoint:
      if (inspect_checkpoint(target.path, question)) return Code::kOk;
      refuse_path(target.path, question.path, tensor_names(StateFile(target.path / "state.h5")));
  }
  return Code::kBug;
}

}  // namespace

Command inspect_command() {
  return {
      {"inspect",
       "RUN|FILE [PATH]",
       1,
       2,
       "what its files hold, to the single value",
       "FILE: a checkpoint's folder, or any HDF5 file of a run, which may still be running.\n"
       "PATH narrows it: a data set (model/actor/layer0.weight), all below a name (model), a\n"
       "series (eval/return) or an entry of the manifest (git_commit). Of a run, the newest\n"
       "checkpoint is looked at. Digests are checked, 8x[200 of 2000, 5] is a data set of 8\n"
       "shards with 200 rows of 2000 in use, 8x[50 new of 2000, 5] holds the 50 that an earlier\n"
       "checkpoint lacks.",
       {{"rows", 'n', "N", "how many rows of a data set or series (8)"},
        {"shard", 0, "S", "whose part of a sharded data set (0)"}}},
      &run_inspect};
}

}  // namespace tenfold::tool
