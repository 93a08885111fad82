#include "train/roles.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::train {

namespace {

void refuse_with_roles(const RunOptions& options) {
  const auto refuse = [](const char* option) {
    throw base::Error(base::Code::kUsage,
                      fmt::format("{} does not work with ranks that only act", option),
                      "Leave it out, or let all ranks learn");
  };
  if (options.zero != 0) refuse("--zero 1");
  if (!options.checkpoint_local.empty()) refuse("--checkpoint-local");
}

}  // namespace

std::optional<Roles> assign_roles(const comm::Communicator& world, const RunOptions& options,
                                  const std::function<int(int ranks)>& learners, ShardPlan* plan) {
  int count = world.size();
  world.agree([&] {
    if (learners) count = learners(world.size());
    if (count < world.size()) refuse_with_roles(options);
    const bool learner = world.rank() < count;
    *plan = make_shard_plan(options.virtual_shards, count, learner ? world.rank() : 0);
    if (!learner) plan->mine.clear();
  });
  if (count == world.size()) return std::nullopt;
  return Roles{count, world.size() - count, world.split(world.rank() < count ? 0 : 1)};
}

}  // namespace tenfold::train
