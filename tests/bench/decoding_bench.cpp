// decoding_bench describe CASE: the model's shape and where its parameters lie, as JSON.
// decoding_bench generate CASE WEIGHTS PROMPTS TOKENS HOW ENGINE: CPU seconds of drawing TOKENS
// tokens behind every prompt, in one thread, and what was drawn. WEIGHTS: float32 [flat_size];
// PROMPTS: int32 B, L, then [B, L]. HOW: sample, greedy, or shared: all B behind the first prompt.
// ENGINE: fused, fused-bfloat16, or torch.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "nn/decoding/generator.hpp"

namespace {

using namespace tenfold;

nn::TransformerConfig find_case(const std::string& name) {
  struct Shape {
    std::int64_t vocabulary, width, layers, heads, kv_heads, feed_forward;
  };
  const std::map<std::string, Shape> shapes{
      {"tiny", {164, 64, 2, 4, 4, 168}},
      {"10M", {8000, 256, 8, 8, 8, 688}},
      {"100M", {16000, 768, 12, 12, 4, 2048}},
  };
  const auto found = shapes.find(name);
  if (found == shapes.end()) throw std::invalid_argument("no case " + name);
  const Shape& shape = found->second;
  nn::TransformerConfig config;
  config.vocabulary = shape.vocabulary;
  config.width = shape.width;
  config.layers = shape.layers;
  config.heads = shape.heads;
  config.kv_heads = shape.kv_heads;
  config.head_width = shape.width / shape.heads;
  config.feed_forward = shape.feed_forward;
  config.positions = 1024;
  return config;
}

void describe(const nn::TransformerConfig& c) {
  const nn::Transformer model(c);
  fmt::print(
      "{{\"vocab_size\": {}, \"hidden_size\": {}, \"num_hidden_layers\": {}, "
      "\"num_attention_heads\": {}, \"num_key_value_heads\": {}, \"head_dim\": {}, "
      "\"intermediate_size\": {}, \"max_position_embeddings\": {}, \"flat_size\": {}, "
      "\"parameters\": {}, \"entries\": [",
      c.vocabulary, c.width, c.layers, c.heads, c.kv_heads, c.head_width, c.feed_forward,
      c.positions, model.parameters().flat_size(), model.parameters().parameter_count());
  const char* comma = "";
  for (const nn::ParameterEntry& entry : model.parameters().entries()) {
    fmt::print("{}[\"{}\", {}, {}]", comma, entry.name, entry.offset, entry.size);
    comma = ", ";
  }
  fmt::print("]}}\n");
}

template <class T>
std::vector<T> numbers_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::invalid_argument("cannot read " + path);
  std::vector<T> numbers(static_cast<std::size_t>(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(numbers.data()),
            static_cast<std::streamsize>(numbers.size() * sizeof(T)));
  return numbers;
}

struct Work {
  std::int64_t batch, length, tokens;
  std::vector<std::int32_t> prompts;
  bool greedy, shared;
};

void submit(nn::Generator& generator, const Work& work, std::uint32_t round) {
  for (std::int64_t b = 0; b < work.batch; ++b) {
    nn::GenerationRequest request;
    request.id = b;
    const auto begin = work.prompts.begin() + b * work.length;
    request.pending.assign(begin, begin + work.length);
    const std::int64_t samples = work.shared ? work.batch : 1;
    for (std::int64_t s = 0; s < samples; ++s) {
      nn::SampleSpec spec;
      spec.key = {round, static_cast<std::uint32_t>(b + s), 0};
      spec.options.temperature = work.greedy ? 0 : 1;
      spec.most_tokens = work.tokens;
      request.samples.push_back(spec);
    }
    generator.submit(std::move(request));
    if (work.shared) return;
  }
}

void generate(const nn::TransformerConfig& config, char** arguments) {
  const nn::Transformer model(config);
  const std::vector<float> weights = numbers_of<float>(arguments[0]);
  const std::vector<std::int32_t> prompts = numbers_of<std::int32_t>(arguments[1]);
  const std::string how = arguments[3], which = arguments[4];
  Work work{prompts.at(0),
            prompts.at(1),
            std::atoll(arguments[2]),
            {prompts.begin() + 2, prompts.end()},
            how == "greedy",
            how == "shared"};
  if (static_cast<std::int64_t>(weights.size()) != model.parameters().flat_size()) {
    throw std::invalid_argument("weights of another model");
  }
  const at::Tensor flat = at::empty({model.parameters().flat_size()}, at::kFloat);
  std::copy(weights.begin(), weights.end(), flat.data_ptr<float>());
  nn::DecodingOptions options;
  options.cache_bytes = std::int64_t{1} << 30;
  options.longest = work.length + work.tokens;
  options.rows = 256;
  const bool fused = which.starts_with("fused");
  if (!fused && which != "torch") throw std::invalid_argument("no engine " + which);
  if (which == "fused-bfloat16") options.type = at::kBFloat16;
  const auto engine =
      fused ? nn::make_fused_decoding(model, options) : nn::make_torch_decoding(model, options);
  engine->set_parameters(flat);
  // Memory is touched, and caches warm, by a round of two tokens that does not count.
  double seconds = 0;
  std::vector<std::vector<std::int32_t>> drawn(static_cast<std::size_t>(work.batch));
  for (std::uint32_t round = 0; round < 2; ++round) {
    Work now = work;
    if (round == 0) now.tokens = std::min<std::int64_t>(2, work.tokens);
    nn::Generator generator(*engine);
    const double start = base::cpu_now();
    submit(generator, now, round);
    while (!generator.idle()) {
      for (nn::GenerationResult& result : generator.advance()) {
        for (std::size_t s = 0; s < result.samples.size(); ++s) {
          engine->blocks().release(result.samples[s].sequence);
          drawn[static_cast<std::size_t>(result.id) + s] = result.samples[s].tokens;
        }
      }
    }
    seconds = base::cpu_now() - start;
  }
  fmt::print("{{\"seconds\": {}, \"tokens\": [", seconds);
  for (std::size_t b = 0; b < drawn.size(); ++b) {
    fmt::print("{}[{}]", b == 0 ? "" : ", ", fmt::join(drawn[b], ", "));
  }
  fmt::print("]}}\n");
}

}  // namespace

int main(int count, char** arguments) {
  try {
    at::set_num_threads(1);
    if (count < 3) throw std::invalid_argument("see the head of the source");
    const std::string what = arguments[1];
    const nn::TransformerConfig config = find_case(arguments[2]);
    if (what == "describe" && count == 3) {
      describe(config);
    } else if (what == "generate" && count == 8) {
      generate(config, arguments + 3);
    } else {
      throw std::invalid_argument("see the head of the source");
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "decoding_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
