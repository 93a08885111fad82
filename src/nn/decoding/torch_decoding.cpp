#include "nn/decoding/torch_decoding.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace tenfold::nn {

namespace {

// From so many siblings, and so many blocks that all of them share, these are gathered once.
constexpr std::size_t kSiblings = 4;
constexpr std::int64_t kShared = 2;

std::int64_t block_bytes(const TransformerConfig& c, const DecodingOptions& options) {
  if (options.block_tokens < 1) {
    throw base::Error(base::Code::kUsage, "decoding: blocks of no token", "Give at least 1");
  }
  return 2 * c.layers * options.block_tokens * c.key_columns() *
         static_cast<std::int64_t>(c10::elementSize(options.type));
}

std::int64_t shared_blocks(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

// Keys positions from begin on, seen from positions [R, 1]: bool [R, count].
at::Tensor seen(const at::Tensor& positions, std::int64_t begin, std::int64_t count,
                const TransformerConfig& config) {
  const at::Tensor key = at::arange(begin, begin + count, positions.options());
  at::Tensor visible = key.le(positions);
  if (config.sliding_window) visible = visible & key.gt(positions - *config.sliding_window);
  return visible;
}

}  // namespace

TorchDecoding::TorchDecoding(const Transformer& model, const DecodingOptions& options)
    : DecodingEngine(model, options, block_bytes(model.config(), options)) {
  if (options.type != at::kFloat && options.type != at::kBFloat16) {
    throw base::Error(base::Code::kUsage, "decoding: neither float32 nor bfloat16",
                      "Choose one of them");
  }
  const TransformerConfig& c = config();
  const std::vector<std::int64_t> shape{c.layers, blocks().options().blocks, options.block_tokens,
                                        c.kv_heads, c.head_width};
  const at::TensorOptions kind = at::TensorOptions(options.type).device(options.device);
  keys_ = at::zeros(shape, kind);
  values_ = at::zeros(shape, kind);
}

void TorchDecoding::take_parameters(const at::Tensor& flat) {
  const DecodingOptions& options = decoding_options();
  const at::NoGradGuard no_graph;
  if (flat_.defined()) {
    flat_.copy_(flat);
  } else {
    flat_ = flat.detach().to(options.device, options.type, false, true);
    weights_.emplace(model(), flat_);
  }
  // What is masked is multiplied with 0: it must be finite, whatever old parameters were.
  keys_.zero_();
  values_.zero_();
}

void TorchDecoding::copy_block(std::int32_t from, std::int32_t to) {
  keys_.select(1, to).copy_(keys_.select(1, from));
  values_.select(1, to).copy_(values_.select(1, from));
}

at::Tensor TorchDecoding::on_device(const std::vector<std::int64_t>& values) const {
  return at::tensor(values, at::kLong).to(decoding_options().device);
}

AttentionPlan::Piece TorchDecoding::piece(std::span<const TokenRow> rows,
                                          std::int64_t first) const {
  const auto table = blocks().table(rows.front().sequence);
  std::vector<std::int64_t> positions;
  for (const TokenRow& row : rows) positions.push_back(row.position);
  const std::int64_t size = blocks().options().block_tokens;
  const std::int64_t count = positions.back() / size + 1;
  AttentionPlan::Piece result;
  result.first = first;
  result.rows = std::ssize(rows);
  result.blocks = on_device({table.begin(), table.begin() + count});
  result.visible = seen(on_device(positions).unsqueeze(1), 0, count * size, config());
  return result;
}

AttentionPlan::Siblings TorchDecoding::siblings(std::span<const TokenRow> rows,
                                                std::span<const std::int64_t> of,
                                                std::int64_t shared) const {
  const std::int64_t size = blocks().options().block_tokens;
  std::int64_t longest = 0;
  std::vector<std::int64_t> positions, tables;
  for (const std::int64_t r : of) {
    positions.push_back(rows[static_cast<std::size_t>(r)].position);
    longest = std::max(longest, positions.back() / size + 1 - shared);
  }
  for (const std::int64_t r : of) {
    const auto table = blocks().table(rows[static_cast<std::size_t>(r)].sequence);
    for (std::int64_t i = shared; i < shared + longest; ++i) {
      tables.push_back(i < std::ssize(table) ? table[static_cast<std::size_t>(i)] : 0);
    }
  }
  AttentionPlan::Siblings result;
  result.rows = on_device({of.begin(), of.end()});
  if (shared > 0) {
    const auto table = blocks().table(rows[static_cast<std::size_t>(of.front())].sequence);
    result.trunk = on_device({table.begin(), table.begin() + shared});
  }
  result.blocks = on_device(tables);
  result.visible = seen(on_device(positions).unsqueeze(1), shared * size, longest * size, config())
                       .unsqueeze(1)
                       .unsqueeze(1);
  return result;
}

// Neighbours that share enough are siblings; all others are one group without a trunk.
void TorchDecoding::group_singles(std::span<const TokenRow> rows,
                                  std::span<const std::int64_t> singles,
                                  AttentionPlan& plan) const {
  // Without the block that the row itself lies in: all before are seen whole.
  const auto table = [&](std::size_t i) {
    const TokenRow& row = rows[static_cast<std::size_t>(singles[i])];
    return blocks()
        .table(row.sequence)
        .first(static_cast<std::size_t>(row.position / blocks().options().block_tokens));
  };
  std::vector<std::int64_t> others;
  for (std::size_t begin = 0; begin < singles.size();) {
    std::size_t end = begin + 1;
    std::int64_t shared = std::ssize(table(begin));
    for (; end < singles.size(); ++end) {
      const std::int64_t here = std::min(shared, shared_blocks(table(begin), table(end)));
      if (here < kShared) break;
      shared = here;
    }
    const auto group = singles.subspan(begin, end - begin);
    if (group.size() >= kSiblings && !config().sliding_window) {
      plan.siblings.push_back(siblings(rows, group, shared));
    } else {
      others.insert(others.end(), group.begin(), group.end());
    }
    begin = end;
  }
  if (!others.empty()) plan.siblings.push_back(siblings(rows, others, 0));
}

AttentionPlan TorchDecoding::plan(std::span<const TokenRow> rows,
                                  std::span<const std::int32_t> block) const {
  const std::int64_t size = blocks().options().block_tokens;
  AttentionPlan result;
  std::vector<std::int64_t> slots, singles;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    slots.push_back(block[i] * size + rows[i].position % size);
  }
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin + 1;
    while (end < rows.size() && rows[end].sequence == rows[begin].sequence) ++end;
    if (end - begin > 1) {
      result.pieces.push_back(
          piece(rows.subspan(begin, end - begin), static_cast<std::int64_t>(begin)));
    } else {
      singles.push_back(static_cast<std::int64_t>(begin));
    }
    begin = end;
  }
  group_singles(rows, singles, result);
  result.slots = on_device(slots);
  return result;
}

// [sequences, kv_heads, tokens, head_width].
at::Tensor TorchDecoding::gathered(const at::Tensor& pool, std::int64_t layer,
                                   const at::Tensor& blocks, std::int64_t sequences) const {
  return pool.select(0, layer)
      .index_select(0, blocks)
      .view({sequences, -1, config().kv_heads, config().head_width})
      .transpose(1, 2);
}

// query [heads, rows, head_width].
at::Tensor TorchDecoding::attend_piece(const AttentionPlan::Piece& piece, std::int64_t layer,
                                       const at::Tensor& query) const {
  const TransformerConfig& c = config();
  const std::int64_t group = c.heads / c.kv_heads;
  // The queries of a key head, one after the other: keys need no copies for them.
  const at::Tensor visible = piece.visible.unsqueeze(0)
                                 .expand({group, piece.rows, piece.visible.size(1)})
                                 .reshape({1, 1, group * piece.rows, piece.visible.size(1)});
  return at::scaled_dot_product_attention(
             query.reshape({1, c.kv_heads, group * piece.rows, c.head_width}),
             gathered(keys_, layer, piece.blocks, 1), gathered(values_, layer, piece.blocks, 1),
             visible)
      .view({c.heads, piece.rows, c.head_width});
}

// query [R, heads, head_width].
at::Tensor TorchDecoding::attend_siblings(const AttentionPlan::Siblings& siblings,
                                          std::int64_t layer, const at::Tensor& query) const {
  const TransformerConfig& c = config();
  const std::int64_t rows = query.size(0), group = c.heads / c.kv_heads;
  const at::Tensor q = query.reshape({rows, c.kv_heads, group, c.head_width});
  const at::Tensor keys = gathered(keys_, layer, siblings.blocks, rows);
  const at::Tensor values = gathered(values_, layer, siblings.blocks, rows);
  if (!siblings.trunk.defined()) {
    return at::scaled_dot_product_attention(q, keys, values, siblings.visible)
        .reshape({rows, c.heads, c.head_width});
  }
  const double scale = 1 / std::sqrt(static_cast<double>(c.head_width));
  const at::Tensor trunk_keys = gathered(keys_, layer, siblings.trunk, 1).squeeze(0);
  const at::Tensor trunk_values = gathered(values_, layer, siblings.trunk, 1).squeeze(0);
  const std::int64_t shared = trunk_keys.size(1);
  // The trunk: one product a key head, all siblings' queries its rows.
  const auto by_head = [&](const at::Tensor& x) {
    return x.transpose(0, 1).reshape({c.kv_heads, rows * group, x.size(-1)});
  };
  const auto by_row = [&](const at::Tensor& x) {
    return x.view({c.kv_heads, rows, group, x.size(-1)}).transpose(0, 1);
  };
  const at::Tensor trunk_scores = by_row(at::matmul(by_head(q), trunk_keys.transpose(1, 2)));
  const at::Tensor own_scores =
      at::matmul(q, keys.transpose(2, 3)).masked_fill(siblings.visible.logical_not(), -INFINITY);
  const at::Tensor weights =
      at::softmax(at::cat({trunk_scores, own_scores}, -1) * scale, -1, at::kFloat)
          .to(q.scalar_type());
  const at::Tensor of_trunk =
      by_row(at::matmul(by_head(weights.narrow(-1, 0, shared)), trunk_values));
  const at::Tensor of_own =
      at::matmul(weights.narrow(-1, shared, weights.size(-1) - shared), values);
  return (of_trunk + of_own).reshape({rows, c.heads, c.head_width});
}

at::Tensor TorchDecoding::attend(const AttentionPlan& plan, std::int64_t layer,
                                 const at::Tensor& query, const at::Tensor& key,
                                 const at::Tensor& value) {
  const auto write = [&](const at::Tensor& pool, const at::Tensor& from) {
    pool.select(0, layer)
        .view({-1, config().kv_heads, config().head_width})
        .index_copy_(0, plan.slots, from.squeeze(0).transpose(0, 1));
  };
  write(keys_, key);
  write(values_, value);
  const at::Tensor mixed = at::empty_like(query);
  for (const AttentionPlan::Piece& piece : plan.pieces) {
    mixed.select(0, 0)
        .narrow(1, piece.first, piece.rows)
        .copy_(attend_piece(piece, layer, query.select(0, 0).narrow(1, piece.first, piece.rows)));
  }
  for (const AttentionPlan::Siblings& siblings : plan.siblings) {
    const at::Tensor own = query.select(0, 0).index_select(1, siblings.rows).transpose(0, 1);
    mixed.select(0, 0).index_copy_(1, siblings.rows,
                                   attend_siblings(siblings, layer, own).transpose(0, 1));
  }
  return mixed;
}

void TorchDecoding::compute(std::span<const TokenRow> rows, std::span<const std::int32_t> block,
                            std::span<float> logits) {
  const at::NoGradGuard no_graph;
  const AttentionPlan how = plan(rows, block);
  std::vector<std::int64_t> tokens, positions, wanted, where;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    tokens.push_back(rows[i].token);
    positions.push_back(rows[i].position);
    if (rows[i].logits < 0) continue;
    wanted.push_back(static_cast<std::int64_t>(i));
    where.push_back(rows[i].logits);
  }
  const at::Tensor hidden = weights_->hidden(
      on_device(tokens).unsqueeze(0), on_device(positions).unsqueeze(0),
      [&](std::int64_t layer, const at::Tensor& query, const at::Tensor& key,
          const at::Tensor& value) { return attend(how, layer, query, key, value); });
  if (wanted.empty()) return;
  const std::int64_t vocabulary = config().vocabulary;
  const at::Tensor states = hidden.squeeze(0).index_select(0, on_device(wanted));
  const auto on_host = [](const at::Tensor& values) {
    return values.to(at::kCPU, at::kFloat).contiguous();
  };
  const at::Tensor found = on_host(weights_->logits(states));
  if (hidden_row(0) != nullptr) {
    const at::Tensor kept = on_host(states);
    const std::int64_t width = config().width;
    for (std::size_t i = 0; i < where.size(); ++i) {
      std::copy_n(kept.data_ptr<float>() + static_cast<std::int64_t>(i) * width, width,
                  hidden_row(static_cast<std::int32_t>(where[i])));
    }
  }
  for (std::size_t i = 0; i < where.size(); ++i) {
    std::copy_n(found.data_ptr<float>() + static_cast<std::int64_t>(i) * vocabulary, vocabulary,
                logits.data() + where[i] * vocabulary);
  }
}

std::unique_ptr<DecodingEngine> make_torch_decoding(const Transformer& model,
                                                    const DecodingOptions& options) {
  return std::make_unique<TorchDecoding>(model, options);
}

}  // namespace tenfold::nn
