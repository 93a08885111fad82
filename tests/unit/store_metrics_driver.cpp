// The other process of store_live_metrics.py. "write SEGMENT": one row per line of input, answered
// when readers can see it. "read RUN": prints what our own reader sees.
#include <cstdio>
#include <iostream>
#include <string>

#include "base/error.hpp"
#include "store/metric_writer.hpp"
#include "store/run_reader.hpp"

namespace {

int write_rows(const std::string& path) {
  tenfold::store::MetricWriter writer(path,
                                      {{"train/loss", "nats", "the loss", "mean", "min", 1},
                                       {"eval/return", "reward", "returns", "sum", "max", 2}});
  std::cout << "ready" << std::endl;
  std::uint64_t step = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++step;
    const auto value = static_cast<double>(step);
    writer.append("train/loss", step, 1.0 / value);
    writer.append("eval/return", step, {value, -value});
    writer.event(step, "checkpoint", line);
    writer.flush(true);
    std::cout << step << std::endl;
  }
  writer.close();
  return 0;
}

int read_rows(const std::string& run) {
  std::vector<std::string> warnings;
  for (const auto& series : tenfold::store::read_metrics(run, &warnings)) {
    std::cout << series.name << ' ' << series.step.size() << ' ' << series.value.back() << '\n';
  }
  for (const auto& event : tenfold::store::read_events(run, &warnings)) {
    std::cout << event.kind << ' ' << event.text << '\n';
  }
  for (const auto& warning : warnings) std::cout << "warning " << warning << '\n';
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 3) return 2;
    return std::string(argv[1]) == "write" ? write_rows(argv[2]) : read_rows(argv[2]);
  } catch (const tenfold::base::Error& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(error.code());
  }
}
