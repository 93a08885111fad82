#include "tenfold/scaling_model.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace tenfold::tool {

namespace {

/// Rounds of a tree over p ranks.
double rounds(std::uint64_t ranks) {
  return static_cast<double>(std::bit_width(ranks - 1));
}

/// (p - 1) / p.
double others(std::uint64_t ranks) {
  const auto p = static_cast<double>(ranks);
  return (p - 1) / p;
}

double ring_over(const Link& link, double gamma, double bytes, std::uint64_t ranks) {
  return 2 * static_cast<double>(ranks - 1) * link.latency +
         others(ranks) * bytes * (2 * link.seconds_per_byte + gamma);
}

}  // namespace

double ring_seconds(const Network& net, double bytes, std::uint64_t ranks) {
  return ring_over(net.between, net.seconds_per_reduced, bytes, ranks);
}

double rabenseifner_seconds(const Network& net, double bytes, std::uint64_t ranks) {
  return 2 * rounds(ranks) * net.between.latency +
         others(ranks) * bytes * (2 * net.between.seconds_per_byte + net.seconds_per_reduced);
}

double recursive_doubling_seconds(const Network& net, double bytes, std::uint64_t ranks) {
  return rounds(ranks) *
         (net.between.latency + bytes * (net.between.seconds_per_byte + net.seconds_per_reduced));
}

double two_level_seconds(const Network& net, double bytes, std::uint64_t ranks) {
  const std::uint64_t inside = std::min(std::max<std::uint64_t>(net.ranks_per_node, 1), ranks);
  const std::uint64_t nodes = (ranks + inside - 1) / inside;
  const Link& link = net.ranks_per_node > 1 ? net.inside : net.between;
  // Every rank of a node sends its slice on a rail of its own.
  return ring_over(link, net.seconds_per_reduced, bytes, inside) +
         ring_over(net.between, net.seconds_per_reduced, bytes / static_cast<double>(inside),
                   nodes);
}

double ordered_seconds(const Network& net, double bytes, std::uint64_t ranks,
                       double shards_per_rank) {
  if (ranks == 1) return 0;
  return 2 * static_cast<double>(ranks - 1) * net.between.latency +
         ordered_bytes(bytes, ranks, shards_per_rank) * net.between.seconds_per_byte +
         shards_per_rank * bytes * net.seconds_per_reduced;
}

double zero1_seconds(const Network& net, double bytes, std::uint64_t ranks) {
  return ring_seconds(net, bytes, ranks);
}

double ring_bytes(double bytes, std::uint64_t ranks) {
  return 2 * others(ranks) * bytes;
}

double ordered_bytes(double bytes, std::uint64_t ranks, double shards_per_rank) {
  return (shards_per_rank + 1) * others(ranks) * bytes;
}

double replicated_memory(double parameters) {
  return 16 * parameters;
}

double zero1_memory(double parameters, std::uint64_t ranks, bool mixed) {
  const auto p = static_cast<double>(ranks);
  return parameters * (mixed ? 4 + 12 / p : 8 + 8 / p);
}

double checkpoint_interval(double stall, double mtbf) {
  return std::sqrt(2 * stall * mtbf);
}

double lost_share(double stall, double mtbf, double interval) {
  return stall / interval + interval / (2 * mtbf);
}

std::string algorithm_name(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kRing:
      return "ring";
    case Algorithm::kRabenseifner:
      return "rabenseifner";
    case Algorithm::kRecursiveDoubling:
      return "doubling";
    case Algorithm::kTwoLevel:
      return "2-level";
    case Algorithm::kOrdered:
      return "ordered";
    case Algorithm::kZero1:
      return "zero1";
  }
  return "?";
}

double sum_seconds(Algorithm algorithm, const Network& net, double bytes, std::uint64_t ranks,
                   double shards_per_rank) {
  switch (algorithm) {
    case Algorithm::kRing:
      return ring_seconds(net, bytes, ranks);
    case Algorithm::kRabenseifner:
      return rabenseifner_seconds(net, bytes, ranks);
    case Algorithm::kRecursiveDoubling:
      return recursive_doubling_seconds(net, bytes, ranks);
    case Algorithm::kTwoLevel:
      return two_level_seconds(net, bytes, ranks);
    case Algorithm::kOrdered:
      return ordered_seconds(net, bytes, ranks, shards_per_rank);
    case Algorithm::kZero1:
      return zero1_seconds(net, bytes, ranks);
  }
  return 0;
}

double communication_seconds(Algorithm algorithm, const Network& net, const Workload& work,
                             std::uint64_t ranks) {
  double seconds = work.syncs * rounds(ranks) * net.between.latency;
  for (const double bytes : work.messages) {
    seconds += sum_seconds(algorithm, net, bytes, ranks, work.shards_per_rank);
  }
  return seconds;
}

Algorithm fastest(const Network& net, const Workload& work, std::uint64_t ranks) {
  Algorithm best = Algorithm::kRing;
  double least = communication_seconds(best, net, work, ranks);
  for (const Algorithm each :
       {Algorithm::kRabenseifner, Algorithm::kRecursiveDoubling, Algorithm::kTwoLevel}) {
    const double seconds = communication_seconds(each, net, work, ranks);
    if (seconds < least) {
      best = each;
      least = seconds;
    }
  }
  return best;
}

}  // namespace tenfold::tool
