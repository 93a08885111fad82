#include "mcts_dpo/modes/workshop.hpp"

#include "base/log.hpp"
#include "mcts_dpo/modes/learning_metrics.hpp"
#include "mcts_dpo/question_sets.hpp"

namespace tenfold::mcts_dpo {

Workshop::Workshop(const Config& config, train::RunContext& context)
    : policy(config, context.seed, context.device.device),
      prompts(config, policy.tokenizer()),
      decoder(config, policy.model(), context.device.device),
      sampler(config, prompts, decoder, context.seed),
      evaluation(evaluation_questions(config, context.seed)) {
  context.facts["reference"] = policy.digest();
  if (!policy.unused().empty() && context.world.is_root()) {
    base::log_warning("{}: {} tensors have no place in the model and are left out, {} first",
                      config.model, policy.unused().size(), policy.unused().front());
  }
  declare_evaluation_metrics(*context.metrics);
}

Learned Workshop::learned() const {
  return {policy.learned(), &policy.learned_layout(),
          [this](const at::Tensor& gradient) { return policy.weights(gradient); }};
}

Accuracy Workshop::evaluate(train::RunContext& context) {
  decoder.set_parameters(policy.merged());
  const Accuracy found = greedy_accuracy(evaluation, sampler, context.world);
  record(*context.metrics, context.step, found);
  return found;
}

void Workshop::export_policy(const Config& config, const train::RunContext& context) const {
  context.world.agree([&] {
    if (!context.world.is_root()) return;
    if (!config.export_to.empty()) {
      policy.write(config.export_to, config.export_type);
      base::log_info("the model is in {}", config.export_to);
    }
    if (!config.export_adapters_to.empty()) {
      policy.write_adapters(config.export_adapters_to, config.model);
      base::log_info("its adapters are in {}", config.export_adapters_to);
    }
  });
}

LearnerOptions learner_options(const Config& config) {
  LearnerOptions options;
  options.beta1 = config.beta1;
  options.beta2 = config.beta2;
  options.weight_decay = config.weight_decay;
  options.clip = config.clip;
  options.chunk = config.logits_chunk;
  options.packed = config.packed;
  return options;
}

PreferenceOptions preference_options(const Config& config) {
  PreferenceOptions options;
  options.loss = preference_loss_of(config.loss);
  options.beta = config.beta;
  options.nll = config.nll;
  options.length_power = config.length_power;
  return options;
}

void name_policy(store::StateRegistry& registry, const Config& config, const Policy& policy) {
  const nn::TransformerConfig& c = policy.model().config();
  registry.identity("model", fmt::format("{} {} layers, width {}, {} tokens",
                                         nn::to_string(c.family), c.layers, c.width, c.vocabulary));
  if (config.lora_rank > 0) {
    registry.identity("lora", fmt::format("rank {}, alpha {}, {}", config.lora_rank,
                                          config.lora_alpha, config.lora_targets));
  }
  if (!config.model.empty()) registry.identity("reference", policy.digest());
}

}  // namespace tenfold::mcts_dpo
