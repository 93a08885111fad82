// The promise that makes 1, 2, 4 and 8 ranks give the same parameters: what a shard computes has
// the same bits whether a rank owns 8 shards, 4 or only that one.
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "base/philox.hpp"
#include "kernels/shard_sum.hpp"
#include "nn/torch_network.hpp"

namespace tenfold::nn {
namespace {

constexpr std::int64_t kShards = 8;

at::Tensor random_tensor(at::IntArrayRef shape, std::uint32_t index) {
  base::Stream stream(21, base::Purpose::kTest, index, 0);
  const at::Tensor values = at::empty(shape, at::kFloat);
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    values.data_ptr<float>()[i] = static_cast<float>(stream.normal());
  }
  return values;
}

struct Case {
  std::shared_ptr<const Network> net;
  std::int64_t rows;
  Mode mode;
};

at::Tensor random_bytes(at::IntArrayRef shape, std::uint32_t index) {
  return random_tensor(shape, index).mul_(40).add_(128).clamp_(0, 255).to(at::kByte);
}

// What all ranks together see: one record per sum over shards, in order.
struct Statistics {
  std::vector<at::Tensor> per_shard, total;
};

struct Result {
  at::Tensor output, gradients, second, buffers;
};

class Runner {
 public:
  explicit Runner(const Case& c)
      : case_(c),
        parameters_(at::empty({c.net->parameters().flat_size()}, at::kFloat)),
        buffers_(at::empty({c.net->buffers().flat_size()}, at::kFloat)) {
    c.net->initialize(parameters_, buffers_, 5, 0);
    const auto pass = c.net->make_pass(kShards, c.rows, at::kCPU);
    input_ = pass->input().scalar_type() == at::kByte ? random_bytes(pass->input().sizes(), 1)
                                                      : random_tensor(pass->input().sizes(), 1);
    if (pass->second_input().defined()) second_ = random_tensor(pass->second_input().sizes(), 2);
    output_gradient_ = random_tensor(pass->output().sizes(), 3);
  }

  // Shards first .. first + shards - 1, as a rank that owns just them computes them.
  Result run(std::int64_t first, std::int64_t shards, const SumOverShards& sum) const {
    Result result;
    result.buffers = buffers_.clone();
    const auto pass = case_.net->make_pass(shards, case_.rows, at::kCPU);
    pass->input().copy_(input_.narrow(0, first, shards));
    const bool critic = second_.defined();
    if (critic) pass->second_input().copy_(second_.narrow(0, first, shards));
    const auto rows = static_cast<double>(kShards * case_.rows);
    result.output = pass->forward(parameters_, result.buffers, case_.mode, sum, rows).clone();
    pass->output_gradient().copy_(output_gradient_.narrow(0, first, shards));
    result.gradients =
        at::empty({shards, case_.net->parameters().flat_size()}, at::kFloat).fill_(NAN);
    pass->backward(parameters_, result.gradients, critic);
    if (critic) result.second = pass->second_input_gradient().clone();
    return result;
  }

  void expect_parts_equal(std::int64_t part) const {
    Statistics statistics;
    const Result whole = run(0, kShards, [&](const at::Tensor& per_shard, const at::Tensor& total) {
      kernels::ordered_sum(per_shard, total);
      statistics.per_shard.push_back(per_shard.clone());
      statistics.total.push_back(total.clone());
    });
    for (std::int64_t first = 0; first < kShards; first += part) {
      std::size_t call = 0;
      // The other ranks' shares come from the record, this rank's must equal what it recorded.
      const auto sum = [&](const at::Tensor& per_shard, const at::Tensor& total) {
        ASSERT_LT(call, statistics.total.size());
        EXPECT_TRUE(at::equal(per_shard, statistics.per_shard[call].narrow(0, first, part)))
            << "statistics " << call;
        total.copy_(statistics.total[call++]);
      };
      const Result mine = run(first, part, sum);
      EXPECT_EQ(call, statistics.total.size());
      EXPECT_TRUE(at::equal(mine.output, whole.output.narrow(0, first, part)));
      EXPECT_TRUE(at::equal(mine.gradients, whole.gradients.narrow(0, first, part)));
      EXPECT_TRUE(at::equal(mine.buffers, whole.buffers));
      if (mine.second.defined()) {
        EXPECT_TRUE(at::equal(mine.second, whole.second.narrow(0, first, part)));
      }
    }
  }

 private:
  Case case_;
  at::Tensor parameters_, buffers_, input_, second_, output_gradient_;
};

class ShardInvariance : public testing::TestWithParam<std::tuple<std::int64_t, std::int64_t>> {};

TEST_P(ShardInvariance, CriticAndActorHaveTheSameBitsForEverySplit) {
  const auto [observation, rows] = GetParam();
  for (const int norm : {0, 1, 2}) {  // none, batch norm, layer norm
    for (const std::int64_t layer : {0, 1, 2}) {
      MlpSpec spec;
      spec.input = observation;
      spec.hidden = {64, 37};
      spec.output = layer == 0 ? 3 : 1;
      spec.second_input = layer == 0 ? 0 : 3;
      spec.second_layer = layer == 0 ? 1 : layer;
      if (layer == 0) spec.output_activation = kernels::Activation::kTanh;
      spec.batch_norm_input = norm == 1;
      spec.batch_norm_hidden = norm == 1 ? 1 : 0;
      spec.layer_norm_hidden = norm == 2 ? 2 : 0;
      const Runner fused({std::make_shared<Mlp>(spec), rows, Mode::kTrain});
      const Runner torch({std::make_shared<TorchNetwork>(spec), rows, Mode::kTrain});
      for (const std::int64_t part : {4, 2, 1}) {
        SCOPED_TRACE(testing::Message() << "action layer " << layer << ", norm " << norm << ", "
                                        << part << " of " << kShards << " shards");
        fused.expect_parts_equal(part);
        torch.expect_parts_equal(part);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(OddShapes, ShardInvariance,
                         testing::Combine(testing::Values(3, 5, 17), testing::Values(1, 8)));

TEST(ShardInvarianceOfThePaper, NetsOf400And300) {
  MlpSpec spec;
  spec.input = 17;
  spec.hidden = {400, 300};
  spec.output = 1;
  spec.second_input = 6;
  spec.second_layer = 2;
  for (const std::shared_ptr<const Network>& net :
       {std::shared_ptr<const Network>(std::make_shared<Mlp>(spec)),
        std::shared_ptr<const Network>(std::make_shared<TorchNetwork>(spec))}) {
    const Runner runner({net, 8, Mode::kTrain});
    runner.expect_parts_equal(1);
    runner.expect_parts_equal(4);
  }
}

// Batches of 16 in 8 shards, as section 7 has it.
TEST(ShardInvarianceOfThePaper, NetsOfPictures) {
  for (const bool batch_norm : {false, true}) {
    NetworkSpec spec({}, ConvSpec{});
    spec.mlp.hidden = {40, 24};
    spec.mlp.output = 1;
    spec.mlp.second_input = 6;
    spec.mlp.second_layer = 2;
    spec.mlp.batch_norm_input = batch_norm;
    spec.mlp.batch_norm_hidden = batch_norm ? 1 : 0;
    spec.conv->height = spec.conv->width = 64;
    spec.conv->channels = 9;
    spec.conv->filters = {32, 32, 32};
    spec.conv->batch_norm = batch_norm;
    for (const std::shared_ptr<const Network>& net :
         {std::shared_ptr<const Network>(std::make_shared<Mlp>(spec)),
          std::shared_ptr<const Network>(std::make_shared<TorchNetwork>(spec))}) {
      const Runner runner({net, 2, Mode::kTrain});
      runner.expect_parts_equal(1);
      runner.expect_parts_equal(4);
    }
  }
}

}  // namespace
}  // namespace tenfold::nn
