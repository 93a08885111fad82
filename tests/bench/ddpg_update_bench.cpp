// ddpg_update_bench NET ACTION_LAYER BATCH_NORM BATCH OBS ENGINE REDUCE UPDATES [FILE]: one
// measurement of ddpg_update.py, on one rank with 8 shards. Prints updates per CPU second. With
// FILE, writes there the minibatch and the networks before and after UPDATES updates, for the peer
// to repeat.
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/clock.hpp"
#include "base/philox.hpp"
#include "base/text.hpp"
#include "ddpg/agent.hpp"
#include "kernels/runtime.hpp"
#include "train/device.hpp"

namespace {

using namespace tenfold;
using Json = nlohmann::json;

constexpr std::int64_t kObservation = 17, kPixels = 64, kChannels = 9, kAction = 6, kShards = 8;
constexpr double kWarmUpSeconds = 0.2;

ddpg::Config config_of(char** argv) {
  ddpg::Config config;
  config.actor_net.clear();
  for (const std::string& width : base::split(argv[1], 'x'))
    config.actor_net.push_back(std::stol(width));
  config.critic_net = config.actor_net;
  config.action_layer = std::stol(argv[2]);
  config.batch_norm = argv[3];
  config.target_bn = "running";  // what torch_ddpg.py computes
  config.batch = std::stol(argv[4]);
  config.engine = argv[6];
  return config;
}

ddpg::ObservationShape shape_of(const std::string& obs) {
  if (obs == "pixels") return {kPixels, kPixels, kChannels};
  return kObservation;
}

// Grouped or joint, the rows come in the same order: the batch does not depend on the reduction.
void fill(ddpg::Batch& batch) {
  std::uint32_t index = 0;
  for (at::Tensor* each :
       {&batch.observation, &batch.action, &batch.reward, &batch.next_observation}) {
    base::Stream stream(1, base::Purpose::kTest, index++, 0);
    const bool bytes = each->scalar_type() == at::kByte;
    for (std::int64_t i = 0; i < each->numel(); ++i) {
      if (bytes) {
        each->data_ptr<std::uint8_t>()[i] = static_cast<std::uint8_t>(stream.below(256));
      } else {
        each->data_ptr<float>()[i] = static_cast<float>(stream.uniform(-1, 1));
      }
    }
  }
  batch.discount.fill_(ddpg::Config().gamma);
  for (std::int64_t i = 0; i < batch.discount.numel(); i += 7)
    batch.discount.data_ptr<float>()[i] = 0;
}

Json numbers(const at::Tensor& tensor, std::int64_t begin, std::int64_t count) {
  if (tensor.scalar_type() == at::kByte) {
    const std::uint8_t* values = tensor.data_ptr<std::uint8_t>() + begin;
    return std::vector<int>(values, values + count);
  }
  const float* values = tensor.data_ptr<float>() + begin;
  return std::vector<float>(values, values + count);
}

Json named(const nn::ParameterLayout& layout, const at::Tensor& flat) {
  Json all = Json::object();
  for (const nn::ParameterEntry& entry : layout.entries()) {
    all[entry.name] = numbers(flat, entry.offset, entry.size);
  }
  return all;
}

Json networks(const ddpg::Agent& agent) {
  return {{"actor", named(agent.actor_net().parameters(), agent.actor_parameters())},
          {"critic", named(agent.critic_net().parameters(), agent.critic_parameters())}};
}

void write_repeatable(ddpg::Agent& agent, std::int64_t updates, const std::string& path) {
  Json record{{"start", networks(agent)}};
  const ddpg::Batch& batch = agent.batch();
  const auto whole = [](const at::Tensor& tensor) { return numbers(tensor, 0, tensor.numel()); };
  record["batch"] = {{"observation", whole(batch.observation)},
                     {"action", whole(batch.action)},
                     {"reward", whole(batch.reward)},
                     {"next_observation", whole(batch.next_observation)},
                     {"discount", whole(batch.discount)}};
  for (std::int64_t i = 0; i < updates; ++i) agent.update();
  record["end"] = networks(agent);
  std::ofstream(path) << record.dump();
}

void measure(int argc, char** argv) {
  const kernels::KokkosEnvironment kokkos;
  train::RunContext context{.world = comm::Communicator::self()};
  context.shards = train::make_shard_plan(kShards, 1, 0);
  train::GradientReducer reducer(context.world, context.shards, train::reduce_mode(argv[7]));
  context.reducer = &reducer;
  train::Metrics metrics(context.world);
  context.metrics = &metrics;
  const ddpg::Config config = config_of(argv);
  ddpg::Agent agent(config, shape_of(argv[5]), kAction, context, config.rows_per_shard(kShards), 1);
  fill(agent.batch());
  const std::int64_t updates = std::stol(argv[8]);
  if (argc == 10) return write_repeatable(agent, updates, argv[9]);

  const double start = base::cpu_now();
  while (base::cpu_now() - start < kWarmUpSeconds) agent.update();
  const double begin = base::cpu_now();
  for (std::int64_t i = 0; i < updates; ++i) agent.update();
  fmt::print("{}\n", static_cast<double>(updates) / (base::cpu_now() - begin));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const comm::MpiEnvironment mpi(&argc, &argv);
    if (argc != 9 && argc != 10) {
      throw std::invalid_argument(
          "usage: ddpg_update_bench NET ACTION_LAYER BATCH_NORM BATCH OBS ENGINE REDUCE UPDATES "
          "[FILE]");
    }
    train::prepare_torch({});
    measure(argc, argv);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ddpg_update_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
