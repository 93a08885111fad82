// Tokens read one by one, in pieces and in company, against LibTorch's pass over whole sequences.
#include <cstring>

#include "base/error.hpp"
#include "counted_new.hpp"
#include "nn_decoding_models.hpp"
#include "support/greedy_decoding.hpp"

namespace tenfold::nn {
namespace {

using test::FilledModel;
using test::largest_gap;
using test::part;
using test::random_tokens;
using test::read;

// Logits here are up to 5 in size.
constexpr double kClose = 1e-5;

DecodingOptions options(std::int64_t bytes = 4 << 20) {
  DecodingOptions result;
  result.cache_bytes = bytes;
  result.rows = 64;
  return result;
}

class DecodingOf : public testing::TestWithParam<test::SmallModel> {
 protected:
  std::unique_ptr<DecodingEngine> fused(std::int64_t block_tokens = 16) {
    DecodingOptions o = options();
    o.block_tokens = block_tokens;
    auto engine = make_fused_decoding(filled_.model, o);
    engine->set_parameters(filled_.flat);
    return engine;
  }
  FilledModel filled_{GetParam().config};
};

// M2
TEST_P(DecodingOf, WhereverTheTextIsCutItsLogitsAreTheWholePass) {
  const auto tokens = random_tokens(40, 1);
  const std::vector<float> expected = filled_.logits(tokens);
  const auto engine = fused();
  std::vector<float> whole;
  for (std::size_t cut = 1; cut <= tokens.size(); ++cut) {
    const Sequence sequence = engine->blocks().create();
    std::vector<float> logits = read(*engine, sequence, part(tokens, 0, cut));
    for (std::size_t i = cut; i < tokens.size(); ++i) {
      const std::vector<float> next = read(*engine, sequence, {tokens[i]});
      logits.insert(logits.end(), next.begin(), next.end());
    }
    ASSERT_LT(largest_gap(logits, expected), kClose) << "cut at " << cut;
    if (cut == 1) whole = logits;
    EXPECT_EQ(logits, whole) << "not the same bits, cut at " << cut;
    engine->blocks().release(sequence);
  }
}

// M3: the trunk ends inside a block, so branches copy that before they write.
TEST_P(DecodingOf, BranchesOfATrunkAreWholeTexts) {
  for (const std::int64_t block_tokens : {16, 64}) {
    const auto engine = fused(block_tokens);
    KvBlocks& blocks = engine->blocks();
    const auto trunk_text = random_tokens(21, 2);
    const Sequence trunk = blocks.create();
    read(*engine, trunk, trunk_text);
    std::vector<Sequence> branches;
    for (std::uint32_t b = 0; b < 3; ++b) branches.push_back(blocks.fork(trunk));
    for (std::uint32_t b = 0; b < 3; ++b) {
      const auto tail = random_tokens(14, 10 + b);
      const std::vector<float> logits = read(*engine, branches[b], tail);
      auto text = trunk_text;
      text.insert(text.end(), tail.begin(), tail.end());
      const std::vector<float> expected = filled_.logits(text);
      const std::span<const float> end(expected.end() - std::ssize(logits), expected.end());
      EXPECT_LT(largest_gap(logits, end), kClose);
      const Sequence alone = blocks.create();
      const std::vector<float> unshared = read(*engine, alone, text);
      EXPECT_EQ(
          0, std::memcmp(logits.data(), unshared.data() + 21 * 97, logits.size() * sizeof(float)));
      blocks.release(alone);
    }
    EXPECT_EQ(blocks.statistics().copies, 3) << "the trunk keeps its block";
    // A branch of a branch that goes back into the trunk.
    const Sequence back = blocks.fork(branches[1], 18);
    const auto tail = random_tokens(5, 20);
    auto text = part(trunk_text, 0, 18);
    text.insert(text.end(), tail.begin(), tail.end());
    const std::vector<float> expected = filled_.logits(text);
    const std::vector<float> logits = read(*engine, back, tail);
    EXPECT_LT(largest_gap(logits, std::span(expected).last(logits.size())), kClose);
  }
}

// M4 and the promise in make_fused_decoding's comment: any company, order, pieces and blocks.
TEST_P(DecodingOf, ARowHasTheSameBitsInAnyCompany) {
  constexpr std::size_t kTexts = 5;
  std::vector<std::vector<std::int32_t>> texts;
  std::vector<std::vector<float>> alone;
  const auto first = fused();
  for (std::uint32_t t = 0; t < kTexts; ++t) {
    texts.push_back(random_tokens(9 + 8 * t, 30 + t));
    const Sequence sequence = first->blocks().create();
    alone.push_back(read(*first, sequence, texts.back()));
  }
  for (std::uint32_t trial = 0; trial < 12; ++trial) {
    base::Stream stream(trial, base::Purpose::kTest, 3, 0);
    const auto engine = fused(trial % 2 == 0 ? 16 : 32);
    KvBlocks& blocks = engine->blocks();
    // Blocks out of order: half of many that were taken are given back.
    std::vector<Sequence> holes;
    for (int i = 0; i < 40; ++i) {
      holes.push_back(blocks.create());
      ASSERT_TRUE(blocks.extend(holes.back(), 16));
    }
    for (std::size_t i = 0; i < holes.size(); i += 2) blocks.release(holes[i]);
    std::vector<Sequence> sequences;
    std::vector<std::size_t> read_so_far(kTexts, 0);
    for (std::size_t t = 0; t < kTexts; ++t) sequences.push_back(blocks.create());
    std::vector<std::vector<float>> seen(kTexts);
    std::vector<float> logits(64 * 97);
    for (bool more = true; more;) {
      std::vector<TokenRow> rows;
      std::vector<std::size_t> of;
      for (int piece = 0; piece < 4; ++piece) {
        const auto t = static_cast<std::size_t>(stream.below(kTexts));
        const auto count = std::min(static_cast<std::size_t>(1 + stream.below(13)),
                                    texts[t].size() - read_so_far[t]);
        if (rows.size() + count > 64) break;
        ASSERT_TRUE(blocks.extend(sequences[t], static_cast<std::int64_t>(count)));
        for (std::size_t i = 0; i < count; ++i, ++read_so_far[t]) {
          rows.push_back({texts[t][read_so_far[t]], sequences[t],
                          static_cast<std::int64_t>(read_so_far[t]),
                          static_cast<std::int32_t>(rows.size())});
          of.push_back(t);
        }
      }
      engine->forward(rows, logits);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        seen[of[r]].insert(seen[of[r]].end(), logits.begin() + static_cast<std::ptrdiff_t>(r * 97),
                           logits.begin() + static_cast<std::ptrdiff_t>((r + 1) * 97));
      }
      more = false;
      for (std::size_t t = 0; t < kTexts; ++t) more |= read_so_far[t] < texts[t].size();
    }
    for (std::size_t t = 0; t < kTexts; ++t) {
      ASSERT_EQ(seen[t].size(), alone[t].size());
      EXPECT_EQ(0, std::memcmp(seen[t].data(), alone[t].data(), seen[t].size() * sizeof(float)))
          << "text " << t << " of trial " << trial;
    }
  }
}

// M7
TEST_P(DecodingOf, KeysOfOldParametersAreRefusedAndNewOnesAreAFreshProcess) {
  const auto engine = fused();
  KvBlocks& blocks = engine->blocks();
  const auto tokens = random_tokens(20, 3);
  const Sequence sequence = blocks.create();
  read(*engine, sequence, tokens);
  const FilledModel later(GetParam().config, 2);
  engine->set_parameters(later.flat);
  EXPECT_TRUE(blocks.stale(sequence));
  const auto refused = [](const auto& use) {
    try {
      use();
      return false;
    } catch (const base::Error& error) {
      return error.code() == base::Code::kBug &&
             error.message().find("written under parameters") != std::string::npos;
    }
  };
  EXPECT_TRUE(refused([&] { (void)blocks.extend(sequence, 1); }));
  EXPECT_TRUE(refused([&] { blocks.fork(sequence); }));
  EXPECT_EQ(blocks.drop_stale(), 1);
  EXPECT_FALSE(blocks.alive(sequence));
  const Sequence again = blocks.create();
  const std::vector<float> logits = read(*engine, again, tokens);
  EXPECT_LT(largest_gap(logits, later.logits(tokens)), kClose);
  const auto fresh = make_fused_decoding(later.model, options());
  fresh->set_parameters(later.flat);
  EXPECT_EQ(logits, read(*fresh, fresh->blocks().create(), tokens));

  // Room that was granted before, but is written only now, is of the new parameters.
  const Sequence waiting = blocks.create();
  ASSERT_TRUE(blocks.extend(waiting, 1));
  engine->set_parameters(later.flat);
  std::vector<float> next(97);
  engine->forward(std::vector<TokenRow>{{tokens[0], waiting, 0, 0}}, next);
  EXPECT_TRUE(std::equal(next.begin(), next.end(), logits.begin()));
}

TEST_P(DecodingOf, LogitsAreWrittenWhereTheyAreAskedFor) {
  const auto engine = fused();
  const auto tokens = random_tokens(6, 4);
  const Sequence all = engine->blocks().create();
  const std::vector<float> expected = read(*engine, all, tokens);
  const Sequence sequence = engine->blocks().create();
  ASSERT_TRUE(engine->blocks().extend(sequence, 6));
  std::vector<TokenRow> rows;
  const std::int32_t where[] = {3, -1, 0, 1, -1, 4};
  for (std::int32_t i = 0; i < 6; ++i) rows.push_back({tokens[i], sequence, i, where[i]});
  std::vector<float> logits(5 * 97, -77);
  engine->forward(rows, logits);
  for (std::size_t i = 0; i < 6; ++i) {
    if (where[i] < 0) continue;
    EXPECT_TRUE(std::equal(expected.begin() + static_cast<std::ptrdiff_t>(i * 97),
                           expected.begin() + static_cast<std::ptrdiff_t>((i + 1) * 97),
                           logits.begin() + where[i] * 97));
  }
  EXPECT_EQ(logits[2 * 97], -77) << "no row asked for these";
}

TEST_P(DecodingOf, AForwardPassAllocatesNothing) {
  const auto engine = fused();
  KvBlocks& blocks = engine->blocks();
  const Sequence trunk = blocks.create();
  const std::size_t made = test::allocations;
  EXPECT_GT(made, 0U) << "the counter works";
  read(*engine, trunk, random_tokens(21, 5));
  blocks.release(blocks.fork(trunk));
  std::vector<float> logits(97);
  std::vector<TokenRow> rows(1);
  const std::size_t before = test::allocations;
  for (std::int64_t i = 0; i < 30; ++i) {
    const Sequence child = blocks.fork(trunk);
    ASSERT_TRUE(blocks.extend(child, 1));
    rows[0] = {3, child, 21, 0};
    engine->forward(rows, logits);
    blocks.release(child);
  }
  EXPECT_EQ(test::allocations, before);
}

TEST_P(DecodingOf, RowsThatCannotBeReadAreRefused) {
  const auto engine = fused();
  KvBlocks& blocks = engine->blocks();
  const Sequence sequence = blocks.create();
  ASSERT_TRUE(blocks.extend(sequence, 2));
  std::vector<float> logits(97);
  const auto refused = [&](const TokenRow& row, base::Code code) {
    try {
      engine->forward(std::vector<TokenRow>{row}, logits);
      return false;
    } catch (const base::Error& error) {
      return error.code() == code;
    }
  };
  EXPECT_TRUE(refused({97, sequence, 0, 0}, base::Code::kUsage));
  EXPECT_TRUE(refused({-1, sequence, 0, 0}, base::Code::kUsage));
  EXPECT_TRUE(refused({1, sequence, 1, 0}, base::Code::kBug)) << "leaves a hole";
  EXPECT_TRUE(refused({1, sequence, 0, 1}, base::Code::kBug)) << "no room for the logits";
  EXPECT_TRUE(refused({1, Sequence::kNone, 0, 0}, base::Code::kBug));
  const Sequence both = blocks.fork(sequence);
  EXPECT_TRUE(refused({1, sequence, 0, 0}, base::Code::kBug)) << "the block is shared";
  blocks.release(both);
  EXPECT_FALSE(refused({1, sequence, 0, 0}, base::Code::kBug));
  DecodingOptions none = options(64);
  EXPECT_THROW(make_fused_decoding(filled_.model, none), base::Error);
  DecodingOptions odd = options();
  for (const std::int64_t tokens : {-16, 0, 8, 24, 48}) {
    odd.block_tokens = tokens;
    EXPECT_THROW(make_fused_decoding(filled_.model, odd), base::Error);
  }
}

TEST_P(DecodingOf, GreedyTextIsTheLikeliestOfTheWholePass) {
  const auto engine = fused();
  auto text = random_tokens(20, 8);
  const test::GreedyText greedy = test::greedy_text(*engine, text, 30);
  ASSERT_EQ(greedy.tokens.size(), 30U);
  EXPECT_EQ(engine->blocks().statistics().sequences, 0);
  text.insert(text.end(), greedy.tokens.begin(), greedy.tokens.end());
  const std::vector<float> logits = filled_.logits(text);
  for (std::size_t i = 0; i < 30; ++i) {
    const auto begin = logits.begin() + static_cast<std::ptrdiff_t>((19 + i) * 97);
    std::vector<float> row(begin, begin + 97);
    if (greedy.gaps[i] > 1e-4F) {
      EXPECT_EQ(greedy.tokens[i], std::max_element(row.begin(), row.end()) - row.begin());
    }
    std::sort(row.begin(), row.end());
    EXPECT_NEAR(greedy.gaps[i], row[96] - row[95], 2 * kClose);
  }
}

// Logits of a trunk, of its six branches that are read in step, and of a text that is read in
// pieces beside them: pieces, siblings and loners meet in one forward pass.
std::vector<std::vector<float>> mixed_reading(DecodingEngine& engine) {
  constexpr std::size_t kBranches = 6, kSteps = 12;
  KvBlocks& blocks = engine.blocks();
  const Sequence trunk = blocks.create(), beside = blocks.create(), loner = blocks.create();
  std::vector<std::vector<float>> seen{read(engine, trunk, random_tokens(43, 50)),
                                       read(engine, loner, random_tokens(5, 51))};
  std::vector<Sequence> all;
  for (std::size_t b = 0; b < kBranches; ++b) all.push_back(blocks.fork(trunk));
  all.push_back(loner);
  const auto text = random_tokens(3 * kSteps, 52);
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    std::vector<TokenRow> rows;
    const auto add = [&](Sequence sequence, std::int32_t token) {
      const std::int64_t position = blocks.length(sequence);
      EXPECT_TRUE(blocks.extend(sequence, 1));
      rows.push_back({token, sequence, position, static_cast<std::int32_t>(rows.size())});
    };
    for (std::uint32_t b = 0; b < all.size(); ++b) add(all[b], random_tokens(1, 100 * b + step)[0]);
    for (std::size_t i = 0; i < 3; ++i) add(beside, text[3 * step + i]);
    seen.emplace_back(rows.size() * 97);
    engine.forward(rows, seen.back());
  }
  return seen;
}

TEST_P(DecodingOf, TheTorchEngineAgrees) {
  const auto engine = fused();
  const auto expected = mixed_reading(*engine);
  for (const std::int64_t block_tokens : {16, 5}) {
    DecodingOptions o = options();
    o.block_tokens = block_tokens;
    const auto torch = make_torch_decoding(filled_.model, o);
    torch->set_parameters(filled_.flat);
    const auto seen = mixed_reading(*torch);
    ASSERT_EQ(seen.size(), expected.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      EXPECT_LT(largest_gap(seen[i], expected[i]), kClose) << "reading " << i;
    }
    // New parameters: what was read is stale, what is read then is theirs.
    const FilledModel later(GetParam().config, 2);
    const Sequence old = torch->blocks().create();
    read(*torch, old, random_tokens(3, 5));
    torch->set_parameters(later.flat);
    EXPECT_THROW((void)torch->blocks().extend(old, 1), base::Error);
    torch->blocks().clear();
    const auto tokens = random_tokens(40, 6);
    EXPECT_LT(largest_gap(read(*torch, torch->blocks().create(), tokens), later.logits(tokens)),
              kClose);
  }
}

TEST_P(DecodingOf, FusedBfloat16HasTheBitsOfTheRoundedParameters) {
  const at::Tensor rounded = filled_.flat.to(at::kBFloat16).to(at::kFloat);
  const auto reading = [&](at::ScalarType type, const at::Tensor& flat) {
    DecodingOptions o = options();
    o.type = type;
    const auto engine = make_fused_decoding(filled_.model, o);
    engine->set_parameters(flat);
    return mixed_reading(*engine);
  };
  const auto expected = reading(at::kFloat, rounded);
  EXPECT_EQ(reading(at::kBFloat16, rounded), expected) << "parameters that lose nothing";
  EXPECT_EQ(reading(at::kBFloat16, filled_.flat), expected) << "parameters that are rounded";
  EXPECT_NE(reading(at::kFloat, filled_.flat), expected);
  DecodingOptions o = options();
  for (const at::ScalarType type : {at::kHalf, at::kDouble}) {
    o.type = type;
    EXPECT_THROW(make_fused_decoding(filled_.model, o), base::Error);
  }
}

// Specification 11, M1: mean below 2e-2 and the same likeliest token in 98 of 100 places, of logits
// up to about 1 in size.
TEST_P(DecodingOf, TheTorchEngineInBfloat16IsNear) {
  const auto engine = fused();
  const auto expected = mixed_reading(*engine);
  DecodingOptions o = options();
  o.type = at::kBFloat16;
  const auto torch = make_torch_decoding(filled_.model, o);
  torch->set_parameters(filled_.flat);
  const auto seen = mixed_reading(*torch);
  double apart = 0, size = 0;
  std::int64_t count = 0, rows = 0, same = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    for (std::size_t j = 0; j < seen[i].size(); ++j, ++count) {
      apart += std::abs(static_cast<double>(seen[i][j]) - static_cast<double>(expected[i][j]));
      size += std::abs(static_cast<double>(expected[i][j]));
    }
    for (std::size_t r = 0; r < seen[i].size(); r += 97, ++rows) {
      const auto best = [&](const std::vector<float>& of) {
        const auto begin = of.begin() + static_cast<std::ptrdiff_t>(r);
        return std::max_element(begin, begin + 97) - begin;
      };
      same += static_cast<std::int64_t>(best(seen[i]) == best(expected[i]));
    }
  }
  EXPECT_LT(apart / static_cast<double>(count),
            2e-2 * std::max(1.0, size / static_cast<double>(count)));
  EXPECT_GT(static_cast<double>(same), 0.95 * static_cast<double>(rows));
}

INSTANTIATE_TEST_SUITE_P(Models, DecodingOf, testing::ValuesIn(test::small_models()),
                         [](const auto& about) { return about.param.name; });

}  // namespace
}  // namespace tenfold::nn
