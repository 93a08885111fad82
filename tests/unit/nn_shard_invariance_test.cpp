// The promise that makes 1, 2, 4 and 8 ranks give the same parameters: what a shard computes has
// the same bits whether a rank owns 8 shards, 4 or only that one.
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "base/philox.hpp"
#include "kernels/shard_sum.hpp"
#include "nn/mlp.hpp"

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
  MlpSpec spec;
  std::int64_t rows;
  Mode mode;
};

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
        mlp_(c.spec),
        parameters_(at::empty({mlp_.parameters().flat_size()}, at::kFloat)),
        buffers_(at::empty({mlp_.buffers().flat_size()}, at::kFloat)),
        input_(random_tensor({kShards, c.rows, c.spec.input}, 1)),
        second_(random_tensor({kShards, c.rows, c.spec.second_input}, 2)),
        output_gradient_(random_tensor({kShards, c.rows, c.spec.output}, 3)) {
    mlp_.initialize(parameters_, buffers_, 5, 0);
  }

  // Shards first .. first + shards - 1, as a rank that owns just them computes them.
  Result run(std::int64_t first, std::int64_t shards, const SumOverShards& sum) const {
    Result result;
    result.buffers = buffers_.clone();
    MlpPass pass(mlp_, shards, case_.rows, at::kCPU);
    pass.input().copy_(input_.narrow(0, first, shards));
    if (case_.spec.second_input > 0) {
      pass.second_input().copy_(second_.narrow(0, first, shards));
    }
    const auto rows = static_cast<double>(kShards * case_.rows);
    result.output = pass.forward(parameters_, result.buffers, case_.mode, sum, rows).clone();
    pass.output_gradient().copy_(output_gradient_.narrow(0, first, shards));
    result.gradients = at::empty({shards, mlp_.parameters().flat_size()}, at::kFloat).fill_(NAN);
    const bool critic = case_.spec.second_input > 0;
    pass.backward(parameters_, result.gradients, critic);
    if (critic) result.second = pass.second_input_gradient().clone();
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
  Mlp mlp_;
  at::Tensor parameters_, buffers_, input_, second_, output_gradient_;
};

class ShardInvariance : public testing::TestWithParam<std::tuple<std::int64_t, std::int64_t>> {};

TEST_P(ShardInvariance, CriticAndActorHaveTheSameBitsForEverySplit) {
  const auto [observation, rows] = GetParam();
  for (const bool norm : {false, true}) {
    for (const std::int64_t layer : {0, 1, 2}) {
      MlpSpec spec;
      spec.input = observation;
      spec.hidden = {64, 37};
      spec.output = layer == 0 ? 3 : 1;
      spec.second_input = layer == 0 ? 0 : 3;
      spec.second_layer = layer == 0 ? 1 : layer;
      if (layer == 0) spec.output_activation = kernels::Activation::kTanh;
      spec.batch_norm_input = norm;
      spec.batch_norm_hidden = norm ? 1 : 0;
      const Runner runner({spec, rows, Mode::kTrain});
      for (const std::int64_t part : {4, 2, 1}) {
        SCOPED_TRACE(testing::Message() << "action layer " << layer << ", batch norm " << norm
                                        << ", " << part << " of " << kShards << " shards");
        runner.expect_parts_equal(part);
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
  const Runner runner({spec, 8, Mode::kTrain});
  runner.expect_parts_equal(1);
  runner.expect_parts_equal(4);
}

}  // namespace
}  // namespace tenfold::nn
