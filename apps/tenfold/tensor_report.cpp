#include "tenfold/tensor_report.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "tenfold/number_summary.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {

namespace {

constexpr std::size_t kValuesPerLine = 6;

struct Contents {
  NumberSummary summary;
  std::size_t wrong = 0;  ///< digests
};

Contents read_contents(const StateFile& file, const StoredTensor& tensor) {
  Contents contents;
  for (std::size_t entry = 0; entry < tensor.rows.size(); ++entry) {
    const auto bytes = file.read(tensor, entry);
    contents.wrong += base::xxh64(bytes) == tensor.digests[entry] ? 0 : 1;
    visit_values(tensor.dtype, bytes, [&](auto values) { contents.summary.add(values); });
  }
  return contents;
}

std::string three_digits(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.3g}", value);
}

std::string remarks(const Contents& contents) {
  std::string text;
  if (contents.summary.not_finite() > 0) {
    text = fmt::format("{} NOT FINITE", contents.summary.not_finite());
  }
  if (contents.wrong > 0) text += (text.empty() ? "" : ", ") + std::string("WRONG DIGEST");
  return text;
}

bool lies_below(const std::string& name, const std::string& folder) {
  return folder.empty() || name == folder || name.starts_with(folder + "/");
}

template <class T>
std::string values_line(std::span<const T> row) {
  std::string text;
  for (std::size_t i = 0; i < std::min(kValuesPerLine, row.size()); ++i) {
    if constexpr (std::is_floating_point_v<T>) {
      text += fmt::format(" {:>11.5g}", row[i]);
    } else {
      text += fmt::format(" {:>11}", row[i]);
    }
  }
  return row.size() > kValuesPerLine ? text + " ..." : text;
}

}  // namespace

TensorTable tensor_table(const StateFile& file, const std::string& below) {
  TensorTable result;
  TextTable table({"data set", "type", "shape", ">least", ">greatest", ">mean", ""});
  std::string folder;
  for (const StoredTensor& tensor : file.tensors()) {
    if (!lies_below(tensor.name, below)) continue;
    const auto slash = tensor.name.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : tensor.name.substr(0, slash);
    if (parent != folder) table.add({base::printable(folder = parent)});
    const Contents contents = read_contents(file, tensor);
    const std::string leaf =
        slash == std::string::npos ? tensor.name : tensor.name.substr(slash + 1);
    table.add({(parent.empty() ? "" : "  ") + base::printable(leaf),
               store::dtype_name(tensor.dtype), tensor.shape_text(),
               three_digits(contents.summary.least()), three_digits(contents.summary.greatest()),
               three_digits(contents.summary.mean()), remarks(contents)});
    ++result.tensors;
    result.digests += tensor.rows.size();
    result.wrong += contents.wrong;
    result.not_finite += contents.summary.not_finite();
  }
  result.text = table.text();
  return result;
}

std::string tensor_text(const StateFile& file, const StoredTensor& tensor, std::size_t shard,
                        std::size_t rows) {
  if (shard >= tensor.rows.size()) {
    throw base::Error(
        base::Code::kUsage,
        fmt::format("--shard {}: '{}' has {}", shard, base::printable(tensor.name),
                    tensor.sharded ? fmt::format("shards 0 to {}", tensor.rows.size() - 1)
                                   : std::string("one part, 0, that all ranks share")));
  }
  const Contents contents = read_contents(file, tensor);
  const NumberSummary& summary = contents.summary;
  std::string text = fmt::format(
      "{}: {} {}, {}\n  {} values in use, {} not finite; least {}, greatest {}, mean {}\n",
      base::printable(tensor.name), store::dtype_name(tensor.dtype), tensor.shape_text(),
      tensor.sharded ? "one part per shard" : "the same on all ranks", summary.count(),
      summary.not_finite(), short_number(summary.least()), short_number(summary.greatest()),
      short_number(summary.mean()));
  text += contents.wrong == 0
              ? fmt::format("  {} {} right\n", tensor.rows.size(),
                            tensor.rows.size() == 1 ? "digest is" : "digests are")
              : fmt::format("  {} of {} digests WRONG\n", contents.wrong, tensor.rows.size());
  const std::uint64_t shown = std::min<std::uint64_t>(rows, tensor.rows[shard]);
  if (tensor.sharded) text += fmt::format("  shard {}:\n", shard);
  const auto bytes = file.read(tensor, shard);
  visit_values(tensor.dtype, bytes, [&](auto values) {
    // A vector reads better as lines of several than as a column.
    const bool vector = tensor.row_elements == 1;
    const std::uint64_t width = vector ? kValuesPerLine : tensor.row_elements;
    const std::uint64_t count =
        vector ? std::min<std::uint64_t>(rows * width, values.size()) : shown * width;
    for (std::uint64_t at = 0; at < count; at += width) {
      const auto line = values.subspan(at, std::min(width, values.size() - at));
      text += fmt::format("  {:>6}{}\n", fmt::format("[{}]", vector ? at : at / width),
                          values_line(line));
    }
    if (count < values.size()) {
      text += fmt::format("  ... {} more values (--rows shows more)\n", values.size() - count);
    }
  });
  return text;
}

}  // namespace tenfold::tool
