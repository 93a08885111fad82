#include "train/metrics.hpp"

#include <algorithm>
#include <limits>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::train {

void Metrics::declare(store::SeriesSpec spec) {
  base::require(writer_ == nullptr, "a metric was declared after the run began");
  base::require(index_.emplace(spec.name, slots_.size()).second,
                fmt::format("metric {} declared twice", spec.name));
  slots_.push_back(Slot{std::move(spec)});
}

void Metrics::declare_rank0(std::string name, std::string unit, std::string description,
                            std::string better, std::uint64_t columns) {
  declare({std::move(name), std::move(unit), std::move(description), "rank0", std::move(better),
           columns});
}

void Metrics::follow(std::string_view name, std::function<double()> count) {
  base::require(slot(name).spec.reduction == "sum", "a count is followed by a series of sums");
  const double now = count();
  followed_.push_back({std::string(name), std::move(count), now});
}

Metrics::Slot& Metrics::slot(std::string_view name) {
  const auto found = index_.find(name);
  base::require(found != index_.end(), fmt::format("unknown metric {}", name));
  return slots_[found->second];
}

void Metrics::add(std::string_view name, double value) {
  Slot& target = slot(name);
  target.max = target.count == 0 ? value : std::max(target.max, value);
  target.sum += value;
  target.count += 1;
}

void Metrics::row(std::string_view name, std::uint64_t step, const std::vector<double>& values) {
  Slot& target = slot(name);
  target.last = values.front();
  target.has_last = true;
  if (writer_) writer_->append(name, step, values);
}

void Metrics::event(std::uint64_t step, std::string_view kind, std::string_view text) {
  if (writer_) writer_->event(step, kind, text);
}

void Metrics::publish(std::uint64_t step) {
  for (Followed& each : followed_) {
    const double now = each.count();
    add(each.name, now - each.seen);
    each.seen = now;
  }
  std::vector<double> sums(2 * slots_.size());
  std::vector<double> maxima(slots_.size(), -std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    sums[2 * i] = slots_[i].sum;
    sums[2 * i + 1] = slots_[i].count;
    if (slots_[i].count > 0) maxima[i] = slots_[i].max;
  }
  communicator_.all_reduce(std::span<double>(sums), comm::Op::kSum);
  communicator_.all_reduce(std::span<double>(maxima), comm::Op::kMax);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& each = slots_[i];
    each.sum = each.count = 0;
    const double count = sums[2 * i + 1];
    if (count == 0) continue;
    const std::string& how = each.spec.reduction;
    each.last = how == "max" ? maxima[i] : how == "sum" ? sums[2 * i] : sums[2 * i] / count;
    each.has_last = true;
    if (writer_) writer_->append(each.spec.name, step, each.last);
  }
}

const store::SeriesSpec& Metrics::judged(const std::string& name, std::string_view option) const {
  std::vector<std::string> names;
  for (const Slot& each : slots_) {
    if (each.spec.better.empty() || each.spec.columns != 1) continue;
    if (each.spec.name == name) return each.spec;
    names.push_back(each.spec.name);
  }
  throw base::Error(base::Code::kUsage,
                    fmt::format("{}: no metric '{}' of which more or less is better", option,
                                base::printable(name)),
                    fmt::format("There are {}", base::join(names, ", ")));
}

double Metrics::last(std::string_view name) const {
  const auto found = index_.find(name);
  if (found == index_.end() || !slots_[found->second].has_last) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return slots_[found->second].last;
}

void Metrics::open(const std::filesystem::path& segment, std::int64_t resumed_from_step,
                   double flush_interval_s) {
  if (!communicator_.is_root()) return;
  std::vector<store::SeriesSpec> specs;
  for (const Slot& each : slots_) specs.push_back(each.spec);
  writer_ = std::make_unique<store::MetricWriter>(segment, std::move(specs), resumed_from_step,
                                                  flush_interval_s);
}

void Metrics::flush(bool force) {
  if (writer_) writer_->flush(force);
}

void Metrics::close() {
  if (writer_) writer_->close();
  writer_.reset();
}

}  // namespace tenfold::train
