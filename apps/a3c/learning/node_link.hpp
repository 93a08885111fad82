// What nodes tell each other of their parameters while they learn.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "a3c/config.hpp"
#include "a3c/sharing/shared_parameters.hpp"
#include "comm/communicator.hpp"

namespace tenfold::a3c {

/// Of the first rank of each node. All calls but poll are collective over those ranks; poll never
/// waits.
class NodeLink {
 public:
  virtual ~NodeLink() = default;
  /// Once for each rollout of this rank: begins an exchange when one is due, ends one that is
  /// there.
  virtual void poll() = 0;
  /// Ends what is on its way and makes all nodes' parameters equal. decisions: how many the node
  /// has made since the last settle; returns how many all have.
  virtual std::int64_t settle(std::int64_t decisions) = 0;
  /// The node's counters were set to those of all: what it does is counted from there. Not
  /// collective.
  virtual void begin_block() = 0;
};

/// --inter average: every so many updates of a node the mean of all nodes' parameters and
/// statistics is found while learning goes on, and each node moves to it by
/// theta <- theta + rho (mean - theta at the start), weighted by decisions.
/// --inter accumulate: the parameters live in a window that is spread over the nodes; every so many
/// updates a node adds what it has changed to it and takes what the others have.
/// elsewhere, a number on this node, is kept at the decisions that other nodes made since the last
/// settle, as far as is known.
std::unique_ptr<NodeLink> make_node_link(const Config& config, const comm::Communicator& leaders,
                                         const SharedParameters& shared,
                                         const SharedNumber& elsewhere);

}  // namespace tenfold::a3c
