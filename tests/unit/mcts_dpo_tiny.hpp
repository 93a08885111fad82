// A random model over a dozen words, and what decodes it: small enough that every token can be
// computed a second time by a whole forward pass.
#pragma once

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/philox.hpp"
#include "mcts_dpo/generation/decoder.hpp"
#include "mcts_dpo/generation/prompts.hpp"
#include "nn/transformer/transformer.hpp"
#include "support/tiny_transformer.hpp"

namespace tenfold::mcts_dpo {

inline std::unique_ptr<dataset::Tokenizer> tiny_tokenizer() {
  const std::vector<std::string> words{"\n",     "3",  "2", "5",   "+",   "=",   "The",
                                       "answer", "is", "?", "(A)", "(B)", "yes", "no"};
  dataset::SpecialTokens specials;
  specials.bos = "<s>";
  specials.eos = "</s>";
  return dataset::make_word_tokenizer(words, specials);
}

inline nn::TransformerConfig tiny_shape(std::int64_t width) {
  nn::TransformerConfig shape = test::tiny_transformer();
  shape.vocabulary = tiny_tokenizer()->vocabulary_size();
  shape.width = width;
  shape.head_width = width / 2;
  shape.kv_heads = 2;
  shape.positions = 96;
  return shape;
}

inline Question tiny_question(int number) {
  Question question;
  question.id = std::to_string(number);
  for (int i = 0; i <= number; ++i) question.text += i == 0 ? "3" : " + 2";
  question.text += " = ?";
  question.answer = number % 2 == 0 ? "3" : "5";
  question.solution = {"3 + 2 = 5", "5 = " + question.answer, "The answer is " + question.answer};
  return question;
}

inline void use_tiny_prompts(Config& config) {
  config.prompt_evaluation = "{question}\\n{reference}{partial}\\n{options} ?";
  config.prompt_reference = "{reference}\\n";
}

/// Everything that an expander needs. The options outlive it.
struct Tiny {
  explicit Tiny(const Config& options, std::int64_t width = 16)
      : config(options),
        tokenizer(tiny_tokenizer()),
        model(tiny_shape(width)),
        flat(at::zeros({model.parameters().flat_size()}, at::kFloat)),
        prompts(config, *tokenizer),
        decoder(config, model, at::kCPU) {
    std::uint32_t index = 0;
    for (const nn::ParameterEntry& entry : model.parameters().entries()) {
      base::Stream stream(3, base::Purpose::kTest, index++, 0);
      float* const values = flat.data_ptr<float>() + entry.offset;
      for (std::int64_t i = 0; i < entry.size; ++i) {
        values[i] = static_cast<float>(entry.shape.size() > 1 ? 0.3 * stream.normal() : 1);
      }
    }
    decoder.set_parameters(flat);
    for (int i = 0; i < 16; ++i) questions.push_back(tiny_question(i % 5));
  }

  /// log softmax of what follows tokens [vocabulary], by a whole forward pass.
  std::vector<double> after(const Tokens& tokens) const {
    const at::Tensor states = hidden(tokens);
    const nn::TransformerWeights weights(model, flat);
    const at::Tensor last = weights.logits(states.select(0, states.size(0) - 1))
                                .to(at::kDouble)
                                .log_softmax(-1)
                                .contiguous();
    return {last.data_ptr<double>(), last.data_ptr<double>() + last.numel()};
  }

  /// The last layer's states behind its norm [tokens, width], by a whole forward pass.
  at::Tensor hidden(const Tokens& tokens) const {
    const std::vector<std::int64_t> wide(tokens.begin(), tokens.end());
    const at::Tensor row = at::tensor(wide, at::kLong).unsqueeze(0);
    const at::Tensor length = at::tensor(std::vector<std::int64_t>{row.size(1)}, at::kLong);
    const nn::TransformerWeights weights(model, flat);
    return weights.hidden(nn::causal_block(row, length, model.config())).squeeze(0).contiguous();
  }

  const Config& config;
  std::unique_ptr<dataset::Tokenizer> tokenizer;
  nn::Transformer model;
  at::Tensor flat;
  Prompts prompts;
  Decoder decoder;
  std::vector<Question> questions;
};

}  // namespace tenfold::mcts_dpo
