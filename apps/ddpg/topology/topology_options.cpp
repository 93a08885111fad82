// The options of Config that say which ranks act and which learn.
#include "base/error.hpp"
#include "base/text.hpp"
#include "ddpg/config.hpp"

namespace tenfold::ddpg {

using base::Code;
using base::Error;

void Config::declare_topology(cli::OptionTable& table) {
  table.group("topology", "Topology");
  table
      .add("topology.topology", &topology,
           "symmetric: all ranks act and learn in step; actors: some act, some learn; async: the "
           "ranks of a node share parameters without locks (Hogwild)")
      .choices({"symmetric", "actors", "async"});
  table.add("topology.learners", &learners, "actors: ranks that learn; the others act")
      .only_with("topology.topology", {"actors"})
      .range(1, 1e6)
      .unit("ranks");
  table
      .add(
          "topology.block", &block,
          "decisions of each environment between two meetings of all ranks (not symmetric), and in "
          "one message of an actor")
      .only_with("topology.topology", {"actors", "async"})
      .range(1, 1e6)
      .unit("decisions");
  table
      .add("topology.ratio-band", &ratio_band,
           "actors: decisions over all ranks that acting may be ahead of the updates; 0: lockstep, "
           "with the bits of symmetric")
      .only_with("topology.topology", {"actors"})
      .range(0, 1e12)
      .unit("decisions");
  table
      .add("topology.publish-every", &publish_every,
           "actors: updates after which learners send parameters; also whenever none is due")
      .only_with("topology.topology", {"actors"})
      .range(1, 1e9)
      .unit("updates");
  table
      .add("topology.actor-noise-ladder", &actor_noise_ladder,
           "actors: e, where actor i of A explores with sigma * e^(1 + 7 i / (A - 1)) (Ape-X); 0: "
           "all with sigma")
      .only_with("topology.topology", {"actors"})
      .range(0, 1);
}

void Config::validate_topology() const {
  if (actor_every != 1 && topology == "async") {
    throw Error(Code::kUsage, "--actor-every does not work with --topology async",
                "Its ranks count each other's updates as they come");
  }
  if (planner != "none" && topology != "symmetric") {
    throw Error(Code::kUsage,
                fmt::format("--planner {} plays on all ranks alike, not with --topology {}",
                            planner, topology),
                "Leave --topology out");
  }
}

}  // namespace tenfold::ddpg
