// A run in small: a state that is a function of the step, a checkpoint every 10 steps. Usage:
// checkpoint_driver FOLDER LAST_STEP [incremental], or `checkpoint_driver points` for the names of
// fault points. incremental: the replay is a ring, of which checkpoints hold the new rows.
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "comm/communicator.hpp"
#include "comm/fault.hpp"
#include "store/checkpoint_store.hpp"

namespace {

using tenfold::comm::Communicator;
namespace store = tenfold::store;

constexpr std::size_t kShards = 8;
constexpr std::size_t kWeights = 5000;
constexpr std::size_t kRows = 200;

class Run {
 public:
  Run(const Communicator& world, bool incremental) : incremental_(incremental), weights_(kWeights) {
    shards_.shards = kShards;
    replay_.assign(kShards, std::vector<float>(kRows * 4));
    for (auto shard = static_cast<std::size_t>(world.rank()); shard < kShards;
         shard += static_cast<std::size_t>(world.size())) {
      shards_.mine.push_back(shard);
    }
    registry_.identity("task", "fault test");
    registry_.replicated("progress/step", &step);
    registry_.replicated("model/weights", weights_.data(), {kWeights});
    const auto data = [this](std::size_t shard) { return replay_[shard].data(); };
    if (incremental) {
      registry_.ring<float>("replay/rows", {kRows, 4}, data,
                            [this](std::size_t) { return static_cast<std::uint64_t>(step); });
      registry_.set_increments(true);
    } else {
      registry_.sharded<float>("replay/rows", {kRows, 4}, data,
                               [this](std::size_t) { return rows(); });
    }
  }

  /// The state after `to` steps, whatever it was before.
  void set(std::int64_t to) {
    step = to;
    tenfold::base::Stream weights(1, tenfold::base::Purpose::kTest, 0,
                                  static_cast<std::uint64_t>(to));
    for (auto& weight : weights_) weight = weights.normal();
    for (const std::size_t shard : shards_.mine) {
      replay_[shard].assign(kRows * 4, 0);
      for (std::uint64_t row = 0; row < rows(); ++row) {
        // Of a ring, what is in a slot is told by the newest number that belongs there.
        const auto written = static_cast<std::uint64_t>(to);
        const std::uint64_t number =
            incremental_ ? written - 1 - (written - 1 - row) % kRows : written * kRows + row;
        tenfold::base::Stream values(2, tenfold::base::Purpose::kTest,
                                     static_cast<std::uint32_t>(shard), number);
        for (std::size_t i = 0; i < 4; ++i) {
          replay_[shard][row * 4 + i] = static_cast<float>(values.uniform());
        }
      }
    }
  }
  bool operator==(const Run& other) const {
    // Of rows not in use a checkpoint says nothing: they may hold what a refused one left there.
    const auto used = static_cast<std::ptrdiff_t>(rows() * 4);
    const auto same = [&](const std::vector<float>& mine, const std::vector<float>& theirs) {
      return std::equal(mine.begin(), mine.begin() + used, theirs.begin());
    };
    return step == other.step && weights_ == other.weights_ &&
           std::equal(replay_.begin(), replay_.end(), other.replay_.begin(), same);
  }

  const store::StateRegistry& registry() const { return registry_; }
  const store::ShardMap& shards() const { return shards_; }

  std::int64_t step = 0;

 private:
  std::uint64_t rows() const {
    const auto written = static_cast<std::uint64_t>(step);
    return incremental_ ? std::min<std::uint64_t>(written, kRows) : written % kRows;
  }

  bool incremental_;

  std::vector<double> weights_;
  std::vector<std::vector<float>> replay_;
  store::ShardMap shards_;
  store::StateRegistry registry_;
};

int run(const Communicator& world, const std::string& folder, std::int64_t last, bool incremental) {
  Run state(world, incremental);
  store::CheckpointStore checkpoints(world, folder, state.shards(), {2, 0});
  const auto loaded = checkpoints.load_newest(state.registry());
  Run expected(world, incremental);
  expected.set(loaded ? static_cast<std::int64_t>(loaded->step) : 0);
  if (!loaded) state.set(0);
  world.agree([&] { tenfold::base::require(state == expected, "the loaded state is wrong"); });
  if (world.is_root()) {
    for (const auto& reason : loaded ? loaded->refused : std::vector<std::string>{}) {
      std::cout << "refused " << reason << '\n';
    }
    std::cout << "start " << (loaded ? state.step : -1) << std::endl;
  }
  for (std::int64_t step = state.step + 10; step <= last; step += 10) {
    state.set(step);
    checkpoints.save(static_cast<std::uint64_t>(step), state.registry(), {});
    if (world.is_root()) std::cout << "saved " << step << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "points") {
    for (const auto point : tenfold::comm::fault_points()) std::cout << point << '\n';
    return 0;
  }
  const tenfold::comm::MpiEnvironment mpi(&argc, &argv);
  const auto world = Communicator::world();
  try {
    const bool incremental = argc == 4 && std::string(argv[3]) == "incremental";
    if (argc != 3 && !incremental) return 2;
    tenfold::comm::configure_faults(world.rank());
    return run(world, argv[1], std::stoll(argv[2]), incremental);
  } catch (const tenfold::base::Error& error) {
    if (world.is_root()) std::cerr << error.what() << '\n';
    return static_cast<int>(error.code());
  }
}
