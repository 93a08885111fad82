// Latency and rate of the network between two ranks, and of adding, for `tenfold simulate --net`:
//   mpirun -n 2 bench_network [--json] [--repeats N] [--quantile Q]
// Rank 0 and rank 1 pass a message back and forth; half of a round trip is alpha + beta n. Two
// ranks or more also time MPI_Allreduce of floats.
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr int kSizes[] = {8, 64, 512, 4096, 16384, 65536, 131072, 262144, 524288, 1048576, 4194304};

struct Sample {
  double bytes = 0;
  double message_seconds = 0;  ///< one way
  double sum_seconds = 0;      ///< MPI_Allreduce over all ranks
};

struct Effort {
  int repeats = 200;
  double quantile = 0.5;  ///< of the times of one size; low where others use the machine
};

double quantile_of(std::vector<double> values, double quantile) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(quantile * static_cast<double>(values.size() - 1))];
}

double time_message(int rank, std::vector<float>& data, int bytes, const Effort& effort) {
  std::vector<double> seconds;
  for (int i = 0; i < effort.repeats; ++i) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double begin = MPI_Wtime();
    if (rank == 0) {
      MPI_Send(data.data(), bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
      MPI_Recv(data.data(), bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else if (rank == 1) {
      MPI_Recv(data.data(), bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      MPI_Send(data.data(), bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
    }
    seconds.push_back((MPI_Wtime() - begin) / 2);
  }
  return quantile_of(seconds, effort.quantile);
}

double time_sum(std::vector<float>& data, int bytes, const Effort& effort) {
  std::vector<double> seconds;
  const int count = std::max(1, bytes / static_cast<int>(sizeof(float)));
  for (int i = 0; i < effort.repeats; ++i) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double begin = MPI_Wtime();
    MPI_Allreduce(MPI_IN_PLACE, data.data(), count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    seconds.push_back(MPI_Wtime() - begin);
  }
  return quantile_of(seconds, effort.quantile);
}

/// Seconds per byte of adding floats to others, as every sum does.
double time_adding(const Effort& effort) {
  constexpr std::size_t kCount = 1U << 18;
  std::vector<float> sum(kCount, 1), row(kCount, 1);
  std::vector<double> seconds;
  for (int i = 0; i < effort.repeats; ++i) {
    const double begin = MPI_Wtime();
    for (std::size_t k = 0; k < kCount; ++k) sum[k] += row[k];
    seconds.push_back(MPI_Wtime() - begin);
    row[0] = sum[kCount - 1];  // so that no loop is left out
  }
  return quantile_of(seconds, effort.quantile) / (kCount * sizeof(float));
}

struct Line {
  double alpha = 0, beta = 0, gamma = 0;
};

/// Least squares of the relative error, so that small messages count as much as large ones.
Line fit(const std::vector<Sample>& samples) {
  double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
  for (const Sample& each : samples) {
    const double weight = 1 / (each.message_seconds * each.message_seconds);
    w += weight;
    wx += weight * each.bytes;
    wxx += weight * each.bytes * each.bytes;
    wy += weight * each.message_seconds;
    wxy += weight * each.bytes * each.message_seconds;
  }
  const double beta = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  return {std::max(0.0, (wy - beta * wx) / w), beta, 0};
}

void print(const std::vector<Sample>& samples, const Line& line, int ranks, bool json) {
  if (json) {
    std::printf("{\"ranks\": %d, \"alpha\": %.9g, \"beta\": %.9g, \"gamma\": %.9g, \"samples\": [",
                ranks, line.alpha, line.beta, line.gamma);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      std::printf("%s[%.0f, %.9g, %.9g]", i == 0 ? "" : ", ", samples[i].bytes,
                  samples[i].message_seconds, samples[i].sum_seconds);
    }
    std::printf("]}\n");
    return;
  }
  std::printf("%10s  %12s  %12s  %14s\n", "bytes", "message us", "fit us", "allreduce us");
  for (const Sample& each : samples) {
    std::printf("%10.0f  %12.2f  %12.2f  %14.2f\n", each.bytes, 1e6 * each.message_seconds,
                1e6 * (line.alpha + line.beta * each.bytes), 1e6 * each.sum_seconds);
  }
  std::printf("tenfold simulate --net %.3gus,%.3gGB/s,%.3gGB/s\n", 1e6 * line.alpha,
              1e-9 / line.beta, 1e-9 / line.gamma);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, ranks = 0;
  Effort effort;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) json = true;
    if (std::strcmp(argv[i], "--repeats") == 0 && i + 1 < argc)
      effort.repeats = std::atoi(argv[++i]);
    if (std::strcmp(argv[i], "--quantile") == 0 && i + 1 < argc)
      effort.quantile = std::atof(argv[++i]);
  }
  if (ranks < 2 || effort.repeats < 1 || effort.quantile < 0 || effort.quantile > 1) {
    if (rank == 0)
      std::fprintf(stderr,
                   "usage: mpirun -n 2 bench_network [--json] [--repeats N] [--quantile Q]\n");
    MPI_Finalize();
    return 2;
  }
  std::vector<float> data(kSizes[std::size(kSizes) - 1] / sizeof(float));
  std::vector<Sample> samples;
  for (const int bytes : kSizes) {
    time_message(rank, data, bytes, {3, 0});  // connections and pages
    samples.push_back({static_cast<double>(bytes), time_message(rank, data, bytes, effort),
                       time_sum(data, bytes, effort)});
  }
  Line line = fit(samples);
  line.gamma = time_adding(effort);  // on all ranks at once: they share the memory
  if (rank == 0) print(samples, line, ranks, json);
  MPI_Finalize();
  return 0;
}
