// Asynchronous actor-learners: ranks run rollouts of their actors and apply gradients to parameters
// that their node shares, whenever they have one (Mnih et al. 2016, section 4).
//
// All ranks meet after --block decisions: there, and nowhere else, are parameters, counters and
// actors at one point, for checkpoints and evaluations.
#pragma once

#include <exception>
#include <memory>

#include "a3c/learning/heartbeats.hpp"
#include "a3c/learning/learning.hpp"
#include "a3c/learning/node_link.hpp"
#include "a3c/sharing/shared_parameters.hpp"
#include "comm/shared_arena.hpp"
#include "comm/waiting.hpp"

namespace tenfold::a3c {

/// The numbers of a node beside its parameters.
struct NodeNumbers {
  static std::vector<comm::ArenaPart> parts();
  explicit NodeNumbers(const comm::SharedArena& arena);
  SharedNumber elsewhere;  ///< decisions of other nodes since all had the same parameters
  SharedNumber halt;       ///< 1: all leave the block when they can; -1: one of them failed
  SharedNumber turn;       ///< --order turns: rollouts that all actors have made in turn
  SharedNumber last;       ///< rounds of turns after which the block is over
  SharedNumber multiple;   ///< of --target-period that the target network was copied at last
};

class Asynchronous final : public Learning {
 public:
  Asynchronous(const Config& config, train::RunContext& context);
  ~Asynchronous() override;
  /// --order free: about --block decisions, and up to a rollout of every rank more. --order turns:
  /// rounds of all actors until there are so many; the same bits on any number of ranks.
  std::uint64_t step(train::RunContext& context) override;

 private:
  void begin(train::RunContext& context);
  std::int64_t all_decisions() const;
  bool halted(std::int64_t limit) const;
  void run_free(std::int64_t limit);
  void run_turns(std::int64_t limit);
  bool wait_for_turn(std::int64_t turn);
  void roll_out_and_apply(Actor& actor);
  void copy_target_at(std::int64_t decisions);
  void settle(train::RunContext& context);
  void count_over_nodes(train::RunContext& context);

  SharingOptions sharing_;
  at::Tensor gradient_;
  std::size_t next_ = 0;  ///< local actor whose rollout comes next
  std::size_t all_actors_;
  bool several_ = false;          ///< nodes
  std::int64_t target_seen_ = 0;  ///< copy of the target network that target_ is
  std::int64_t rounds_ = 0;       ///< turns: since the arena was made
  std::int64_t at_settle_ = 0;    ///< the node's decisions when all were counted last
  std::unique_ptr<comm::Communicator> node_;
  std::unique_ptr<comm::SharedArena> arena_;
  std::unique_ptr<SharedParameters> shared_;
  std::unique_ptr<NodeNumbers> numbers_;
  std::unique_ptr<Heartbeats> heartbeats_;
  std::unique_ptr<NodeLink> link_;  ///< of a node's first rank, where there are several nodes
  std::exception_ptr failure_;
};

}  // namespace tenfold::a3c
