// Continuous batching against one sample at a time, without sharing, in an engine of its own.
#include <cmath>
#include <map>

#include "base/error.hpp"
#include "counted_new.hpp"
#include "nn/decoding/generator.hpp"
#include "nn_decoding_models.hpp"

namespace tenfold::nn {
namespace {

using test::FilledModel;
using test::random_tokens;
using test::read;

DecodingOptions options(const TransformerConfig& c, std::int64_t blocks, std::int64_t rows) {
  DecodingOptions result;
  result.rows = rows;
  // Of every token a key and a value, that in whole vectors of 16 numbers.
  const std::int64_t numbers =
      c.layers * c.kv_heads * (c.head_width + (c.head_width + 15) / 16 * 16);
  result.cache_bytes = blocks * 16 * numbers * 4;
  return result;
}

// From the definition: no cache is shared, no row has company.
GeneratedSample alone(const FilledModel& filled, const std::vector<std::int32_t>& text,
                      const SampleSpec& spec, const std::vector<std::int32_t>& ends) {
  const auto engine = make_fused_decoding(filled.model, options(filled.model.config(), 40, 64));
  engine->set_parameters(filled.flat);
  const Sequence sequence = engine->blocks().create();
  TokenSampler sampler(97);
  GeneratedSample result;
  std::vector<float> logits = read(*engine, sequence, text);
  while (true) {
    const auto index = spec.first_token + static_cast<std::uint32_t>(result.tokens.size());
    const SampledToken drawn =
        sampler.sample(std::span(logits).last(97), spec.options, token_uniform(spec.key, index));
    result.tokens.push_back(drawn.token);
    result.log_probabilities.push_back(drawn.log_probability);
    const bool end = std::find(ends.begin(), ends.end(), drawn.token) != ends.end();
    if (end || std::ssize(result.tokens) == spec.most_tokens) return result;
    logits = read(*engine, sequence, {drawn.token});
  }
}

struct Asked {
  std::vector<std::int32_t> text;
  GenerationRequest request;
};

class GeneratorOf : public testing::TestWithParam<test::SmallModel> {
 protected:
  std::unique_ptr<DecodingEngine> fused(std::int64_t blocks, std::int64_t rows) {
    auto engine = make_fused_decoding(filled_.model, options(GetParam().config, blocks, rows));
    engine->set_parameters(filled_.flat);
    return engine;
  }
  static Asked ask(std::uint32_t number) {
    Asked asked;
    asked.text = random_tokens(3 + number * 7 % 40, 100 + number);
    asked.request.id = number;
    asked.request.pending = asked.text;
    asked.request.ends = {5, 11};
    for (std::uint32_t s = 0; s < 1 + number % 4; ++s) {
      SampleSpec spec;
      spec.key = {9, number, s};
      spec.first_token = number % 3;
      spec.options.temperature = s == 1 ? 0 : 0.5 + 0.3 * s;
      if (s == 2) spec.options.top_k = 20;
      spec.most_tokens = 2 + (number + 5 * s) % 23;
      asked.request.samples.push_back(spec);
    }
    return asked;
  }
  static std::map<std::int64_t, GenerationResult> run(Generator& generator) {
    std::map<std::int64_t, GenerationResult> results;
    while (!generator.idle()) {
      for (GenerationResult& result : generator.advance()) {
        EXPECT_EQ(results.count(result.id), 0U);
        results[result.id] = std::move(result);
      }
    }
    return results;
  }
  FilledModel filled_{GetParam().config};
};

TEST_P(GeneratorOf, EverySampleIsWhatItIsAloneWhateverTheBatch) {
  constexpr std::uint32_t kRequests = 14;
  std::vector<Asked> asked;
  std::map<std::int64_t, std::vector<GeneratedSample>> expected;
  for (std::uint32_t i = 0; i < kRequests; ++i) {
    asked.push_back(ask(i));
    for (const SampleSpec& spec : asked[i].request.samples) {
      expected[i].push_back(alone(filled_, asked[i].text, spec, asked[i].request.ends));
    }
  }
  struct Setting {
    std::int64_t blocks, rows;
    bool backwards;
  };
  for (const Setting& setting : {Setting{400, 64, false}, Setting{400, 4, true},
                                 Setting{14, 16, false}, Setting{60, 37, true}}) {
    const auto engine = fused(setting.blocks, setting.rows);
    const std::int64_t free = engine->blocks().free_blocks();
    Generator generator(*engine);
    for (std::uint32_t i = 0; i < kRequests; ++i) {
      generator.submit(asked[setting.backwards ? kRequests - 1 - i : i].request);
    }
    std::map<std::int64_t, GenerationResult> results;
    while (!generator.idle()) {
      for (GenerationResult& result : generator.advance()) {
        // Released at once: small pools have no room for what is finished.
        for (const GeneratedSample& sample : result.samples) {
          EXPECT_EQ(engine->blocks().length(sample.sequence),
                    std::ssize(asked[static_cast<std::size_t>(result.id)].text) +
                        std::ssize(sample.tokens) - 1);
          engine->blocks().release(sample.sequence);
        }
        results[result.id] = std::move(result);
      }
    }
    ASSERT_EQ(results.size(), kRequests);
    std::int64_t tokens = 0;
    for (const auto& [id, samples] : expected) {
      ASSERT_EQ(results[id].samples.size(), samples.size());
      for (std::size_t s = 0; s < samples.size(); ++s) {
        EXPECT_EQ(results[id].samples[s].tokens, samples[s].tokens);
        EXPECT_EQ(results[id].samples[s].log_probabilities, samples[s].log_probabilities);
        tokens += std::ssize(samples[s].tokens);
      }
    }
    EXPECT_EQ(generator.statistics().generated, tokens);
    EXPECT_EQ(generator.statistics().requests, kRequests);
    EXPECT_EQ(engine->blocks().free_blocks(), free) << "blocks were lost";
    EXPECT_EQ(engine->blocks().statistics().sequences, 0);
    if (setting.blocks == 14) {
      EXPECT_GT(generator.statistics().waits, 0);
    }
  }
}

// A tree: each node's sequence has all but its last token, which is what its children have pending.
TEST_P(GeneratorOf, ChildrenOfASampleGoOnFromItsSequence) {
  const auto engine = fused(200, 32);
  Generator generator(*engine);
  Asked root = ask(2);
  root.request.ends.clear();
  generator.submit(root.request);
  auto parents = run(generator).at(2).samples;
  std::vector<std::vector<std::int32_t>> texts;
  for (std::size_t p = 0; p < parents.size(); ++p) {
    GenerationRequest request;
    request.id = static_cast<std::int64_t>(p);
    request.parent = parents[p].sequence;
    request.pending = {parents[p].tokens.back()};
    for (std::uint32_t s = 0; s < 3; ++s) {
      request.samples.push_back({{9, 50, 10 * p + s}, 0, {1, 0, 1}, 12});
    }
    generator.submit(request);
    texts.push_back(root.text);
    texts.back().insert(texts.back().end(), parents[p].tokens.begin(), parents[p].tokens.end());
  }
  const auto results = run(generator);
  for (std::size_t p = 0; p < parents.size(); ++p) {
    for (std::uint32_t s = 0; s < 3; ++s) {
      const SampleSpec spec{{9, 50, 10 * p + s}, 0, {1, 0, 1}, 12};
      EXPECT_EQ(results.at(static_cast<std::int64_t>(p)).samples[s].tokens,
                alone(filled_, texts[p], spec, {}).tokens);
    }
  }
  EXPECT_EQ(generator.statistics().prefilled, std::ssize(root.text) + std::ssize(parents))
      << "no token is read twice";
}

TEST_P(GeneratorOf, ScoresAreThoseOfTheWholePass) {
  const auto text = random_tokens(30, 77);
  const std::vector<float> logits = filled_.logits(text);
  const auto log_p = [&](std::size_t row, std::int32_t token) {
    double sum = 0;
    for (std::size_t i = 0; i < 97; ++i) sum += std::exp(static_cast<double>(logits[row * 97 + i]));
    return static_cast<double>(logits[row * 97 + static_cast<std::size_t>(token)]) - std::log(sum);
  };
  for (const std::int64_t rows : {64, 7}) {
    const auto engine = fused(40, rows);
    Generator generator(*engine);
    GenerationRequest request;
    request.pending = text;
    request.score_pending = request.keep_logits = request.keep_trunk = true;
    request.choices = {3, 90};
    generator.submit(request);
    GenerationResult result = run(generator).at(0);
    ASSERT_EQ(result.pending_log_probabilities.size(), 29U);
    for (std::size_t i = 0; i < 29; ++i) {
      EXPECT_NEAR(result.pending_log_probabilities[i], log_p(i, text[i + 1]), 1e-5);
    }
    EXPECT_LT(test::largest_gap(result.logits, std::span(logits).last(97)), 1e-5);
    EXPECT_NEAR(result.choice_log_probabilities.at(0), log_p(29, 3), 1e-5);
    EXPECT_NEAR(result.choice_log_probabilities.at(1), log_p(29, 90), 1e-5);
    EXPECT_TRUE(result.samples.empty());
    EXPECT_EQ(engine->blocks().length(result.trunk), 30);
    engine->blocks().release(result.trunk);
    EXPECT_EQ(engine->blocks().statistics().sequences, 0);
  }
}

TEST_P(GeneratorOf, SamplesEndForTheReasonThatTheyGive) {
  const auto engine = fused(40, 32);
  const SampleSpec endless{{1, 1, 1}, 0, {1, 0, 1}, 1000};
  const auto free_text = alone(filled_, random_tokens(5, 8), {{1, 1, 1}, 0, {1, 0, 1}, 40}, {});
  Generator generator(*engine);
  GenerationRequest request;
  request.pending = random_tokens(5, 8);
  request.samples = {endless};
  generator.submit(request);
  request.id = 1;
  request.ends = {free_text.tokens[17]};
  generator.submit(request);
  request.id = 2;
  std::vector<std::int32_t> told;
  request.ends.clear();
  request.stops = [&told](std::size_t number, std::int32_t token) {
    EXPECT_EQ(number, 0U);
    told.push_back(token);
    return told.size() == 9;
  };
  generator.submit(request);
  request.id = 3;
  request.stops = nullptr;
  request.samples[0].most_tokens = 1;
  generator.submit(request);
  request.id = 4;
  request.samples[0].most_tokens = 30;
  request.forbidden = {free_text.tokens[0]};
  generator.submit(request);
  const auto results = run(generator);
  const auto& longest = results.at(0).samples[0];
  EXPECT_EQ(longest.reason, StopReason::kLongest);
  EXPECT_EQ(5 + longest.tokens.size(), 129U) << "the last one is not read";
  const auto& ended = results.at(1).samples[0];
  EXPECT_EQ(ended.reason, StopReason::kEnd);
  EXPECT_EQ(ended.tokens.back(), free_text.tokens[17]);
  const auto& ruled = results.at(2).samples[0];
  EXPECT_EQ(ruled.reason, StopReason::kRule);
  EXPECT_EQ(ruled.tokens, told);
  EXPECT_EQ(told, test::part(free_text.tokens, 0, 9));
  const auto& single = results.at(3).samples[0];
  EXPECT_EQ(single.reason, StopReason::kMostTokens);
  EXPECT_EQ(single.tokens, test::part(free_text.tokens, 0, 1));
  const auto& without = results.at(4).samples[0].tokens;
  EXPECT_EQ(std::count(without.begin(), without.end(), free_text.tokens[0]), 0);
}

TEST_P(GeneratorOf, AFullPoolIsMadeRoomInOrNamedInBytes) {
  const auto engine = fused(6, 32);
  KvBlocks& blocks = engine->blocks();
  std::vector<Sequence> held;
  while (blocks.free_blocks() > 1) {
    held.push_back(blocks.create());
    ASSERT_TRUE(blocks.extend(held.back(), 16));
  }
  GenerationRequest request;
  request.pending = random_tokens(20, 4);
  request.samples = {{{1, 2, 3}, 0, {1, 0, 1}, 20}};
  {
    Generator generator(*engine);
    generator.submit(request);
    try {
      generator.advance();
      FAIL() << "two of three blocks are missing";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      const std::string needed = std::to_string(4 * engine->bytes_of_block()) + " bytes";
      EXPECT_NE(error.message().find(needed), std::string::npos) << error.message();
      const std::string free = std::to_string(engine->bytes_of_block()) + " of ";
      EXPECT_NE(error.message().find(free), std::string::npos) << error.message();
    }
  }
  std::vector<std::int64_t> missing;
  GeneratorOptions options;
  options.make_room = [&](std::int64_t blocks_missing) {
    missing.push_back(blocks_missing);
    if (held.empty()) return false;
    blocks.release(held.back());
    held.pop_back();
    return true;
  };
  Generator generator(*engine, options);
  generator.submit(request);
  const auto results = run(generator);
  EXPECT_EQ(results.at(0).samples[0].tokens.size(), 20U);
  EXPECT_EQ(missing, (std::vector<std::int64_t>{3, 2, 1})) << "no more than it needed";
  EXPECT_EQ(generator.statistics().evicted, 3);
  EXPECT_EQ(generator.statistics().reread, 0) << "nothing of it was known";
}

TEST_P(GeneratorOf, TokensThatAreReadASecondTimeAreCounted) {
  const auto text = random_tokens(40, 6);
  for (const std::int64_t rows : {64, 7}) {
    const auto engine = fused(40, rows);
    KvBlocks& blocks = engine->blocks();
    Generator generator(*engine);
    GenerationRequest request;
    request.pending = text;
    request.keep_trunk = true;
    generator.submit(request);
    const Sequence trunk = run(generator).at(0).trunk;
    EXPECT_EQ(generator.statistics().reread, 0);
    // 40 tokens are known and 45 wanted: 18 are there still, so 22 are read again, and 5 are new.
    request.pending.assign(text.begin() + 18, text.end());
    request.pending.insert(request.pending.end(), 5, 3);
    request.parent = trunk;
    request.parent_tokens = 18;
    request.known = 40;
    request.keep_trunk = false;
    generator.submit(request);
    run(generator);
    EXPECT_EQ(generator.statistics().reread, 22);
    EXPECT_EQ(generator.statistics().prefilled, 40 + 27);
    // All that is known is there.
    request.parent_tokens = 40;
    request.pending = {3};
    generator.submit(request);
    run(generator);
    EXPECT_EQ(generator.statistics().reread, 22);
    blocks.release(trunk);
  }
}

TEST_P(GeneratorOf, AbandonedRequestsLeaveNothingBehind) {
  const auto engine = fused(60, 32);
  Generator generator(*engine);
  for (std::uint32_t i = 0; i < 6; ++i) generator.submit(ask(i).request);
  generator.advance();
  generator.advance();
  for (const GenerationResult& result : generator.advance()) {
    for (const GeneratedSample& sample : result.samples) {
      engine->blocks().release(sample.sequence);
    }
  }
  EXPECT_GT(engine->blocks().statistics().sequences, 0);
  generator.abandon();
  EXPECT_TRUE(generator.idle());
  engine->blocks().clear();
  EXPECT_EQ(engine->blocks().free_blocks(), engine->blocks().options().blocks);
  engine->set_parameters(filled_.flat);
  generator.submit(ask(3).request);
  const auto results = run(generator);
  EXPECT_EQ(results.at(3).samples[0].tokens,
            alone(filled_, ask(3).text, ask(3).request.samples[0], {5, 11}).tokens);
}

TEST_P(GeneratorOf, RequestsThatCanNeverBeServedAreRefusedAtOnce) {
  const auto engine = fused(60, 4);
  Generator generator(*engine);
  const auto refused = [&](const auto& change) {
    Asked asked = ask(1);
    change(asked.request);
    try {
      generator.submit(asked.request);
      return std::string();
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      return error.message();
    }
  };
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_NE(refused([](auto& r) { r.pending.clear(); }).find("no pending token"),
            std::string::npos);
  EXPECT_NE(refused([](auto& r) { r.pending[0] = 97; }).find("token 97"), std::string::npos);
  EXPECT_NE(refused([](auto& r) { r.samples.resize(5, r.samples[0]); }).find("5 samples"),
            std::string::npos);
  EXPECT_NE(refused([](auto& r) { r.samples[0].most_tokens = 0; }).find("no token"),
            std::string::npos);
  EXPECT_NE(refused([](auto& r) { r.samples[0].options.top_p = 2; }).find("top_p"),
            std::string::npos);
  EXPECT_NE(refused([](auto& r) { r.pending.resize(129); }).find("129 tokens"), std::string::npos);
}

TEST_P(GeneratorOf, AStepAllocatesNothing) {
  const auto engine = fused(100, 32);
  Generator generator(*engine);
  Asked asked = ask(3);
  asked.request.ends.clear();
  for (SampleSpec& spec : asked.request.samples) spec.most_tokens = 60;
  generator.submit(asked.request);
  for (int i = 0; i < 3; ++i) generator.advance();
  const std::size_t before = test::allocations;
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(generator.advance().empty());
  EXPECT_EQ(test::allocations, before);
}

INSTANTIATE_TEST_SUITE_P(Models, GeneratorOf, testing::ValuesIn(test::small_models()),
                         [](const auto& about) { return about.param.name; });

}  // namespace
}  // namespace tenfold::nn
