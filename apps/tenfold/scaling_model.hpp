// What data parallelism costs on p ranks, in closed forms. alpha: seconds per message, beta:
// seconds per byte sent, gamma: seconds per byte added up. n: bytes of the gradient.
// Formulas: Thakur, Rabenseifner, Gropp, Optimization of collective communication operations in
// MPICH (2005) for the sums; Rajbhandari et al., ZeRO (2020) for memory; Young (1974) and Daly
// (2006) for checkpoints.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tenfold::tool {

struct Link {
  double latency = 5e-6;              ///< alpha, s
  double seconds_per_byte = 2.5e-11;  ///< beta
};

struct Network {
  Link between;                      ///< nodes
  double seconds_per_reduced = 0;    ///< gamma
  std::uint64_t ranks_per_node = 1;  ///< 1: no inner network
  Link inside;                       ///< of a node
};

/// Sum over ranks, known to all of them. 0 on one rank; ranks need not be a power of two (the
/// logarithm is rounded up).
double ring_seconds(const Network& net, double bytes, std::uint64_t ranks);
double rabenseifner_seconds(const Network& net, double bytes, std::uint64_t ranks);
double recursive_doubling_seconds(const Network& net, double bytes, std::uint64_t ranks);
/// Reduce-scatter inside the nodes, one ring per slice between them, all-gather inside.
double two_level_seconds(const Network& net, double bytes, std::uint64_t ranks);
/// --reduce ordered: every rank gets its slice of the gradients of all shards (shards_per_rank from
/// each rank), adds them in order, and the slices are gathered.
double ordered_seconds(const Network& net, double bytes, std::uint64_t ranks,
                       double shards_per_rank);
/// ZeRO-1: reduce-scatter of gradients and all-gather of parameters.
double zero1_seconds(const Network& net, double bytes, std::uint64_t ranks);

/// Bytes that a rank sends for it.
double ring_bytes(double bytes, std::uint64_t ranks);
double ordered_bytes(double bytes, std::uint64_t ranks, double shards_per_rank);

/// Bytes of parameters, gradients and Adam's state on a rank. mixed: 16-bit parameters and
/// gradients, with a 32-bit copy of the parameters in the optimiser.
double replicated_memory(double parameters);
double zero1_memory(double parameters, std::uint64_t ranks, bool mixed);

/// Young's interval between checkpoints, sqrt(2 stall mtbf), and the share of time lost then.
double checkpoint_interval(double stall, double mtbf);
double lost_share(double stall, double mtbf, double interval);

enum class Algorithm { kRing, kRabenseifner, kRecursiveDoubling, kTwoLevel, kOrdered, kZero1 };
std::string algorithm_name(Algorithm algorithm);

/// One training step on one rank alone, and what it has to send on several.
struct Workload {
  std::vector<double> messages;  ///< bytes of each gradient that is summed
  double parameters = 0;
  double step_seconds = 0;     ///< of computing, the same on any number of ranks (weak scaling)
  double shards_per_rank = 8;  ///< for kOrdered
  double syncs = 0;            ///< sums of a few numbers per step: latency alone
};

double sum_seconds(Algorithm algorithm, const Network& net, double bytes, std::uint64_t ranks,
                   double shards_per_rank);
/// Of all messages and syncs of a step.
double communication_seconds(Algorithm algorithm, const Network& net, const Workload& work,
                             std::uint64_t ranks);
/// The one that takes least, of those that add floats in any order.
Algorithm fastest(const Network& net, const Workload& work, std::uint64_t ranks);

}  // namespace tenfold::tool
