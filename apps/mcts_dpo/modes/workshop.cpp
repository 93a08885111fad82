#include "mcts_dpo/modes/workshop.hpp"

#include <algorithm>
#include <filesystem>

#include "base/log.hpp"
#include "mcts_dpo/modes/learning_metrics.hpp"
#include "nn/huggingface/folder_export.hpp"

namespace tenfold::mcts_dpo {

namespace fs = std::filesystem;

namespace {

// Before anything is read: a cache that does not fit would end the job without a word, much later.
const Config& with_memory(const Config& config, const train::DeviceChoice& device) {
  const double wanted = static_cast<double>(config.cache_mib) * 1048576;
  const double share = device.free_bytes / device.sharing;
  if (wanted <= share) return config;
  throw base::Error(
      base::Code::kUsage,
      fmt::format("--cache-mib {}: {} ranks share the memory of {} and want {:.0f} bytes of it for "
                  "keys and values, {:.0f} bytes are free",
                  config.cache_mib, device.sharing,
                  device.device.is_cpu() ? comm::host_name() : device.device.str(),
                  wanted * device.sharing, device.free_bytes),
      fmt::format("Give less than --cache-mib {:.0f}", share / 1048576));
}

}  // namespace

Workshop::Workshop(const Config& config, train::RunContext& context)
    : policy(with_memory(config, context.device), context.seed, context.device.device),
      prompts(config, policy.tokenizer()),
      decoder(config, policy.model(), context.device.device),
      sampler(config, prompts, decoder, context.seed),
      train_file(config, context.seed),
      evaluation(evaluation_questions(config, context.seed, train_file,
                                      [&](const Question& each) { return fits(config, each); })) {
  context.facts["reference"] = policy.digest();
  if (!policy.unused().empty() && context.world.is_root()) {
    base::log_warning("{}: {} tensors have no place in the model and are left out, {} first",
                      config.model, policy.unused().size(), policy.unused().front());
  }
  declare_evaluation_metrics(*context.metrics);
  if (const SymbolicChecker* checker = symbolic_checker(config)) {
    checker->require();
    declare_checker_metrics(*context.metrics, *checker);
  }
  require_room(config, evaluation, 1);
  if (config.mode == "evaluate" || !context.world.is_root()) return;
  for (const std::string& folder : {config.export_to, config.export_adapters_to}) {
    if (!folder.empty()) nn::require_writable_place(folder);
  }
}

void Workshop::require_room(const Config& config, std::span<const Question> questions,
                            std::int64_t samples) const {
  for (const Question& each : questions) {
    const std::int64_t prompt = std::ssize(prompts.question(each));
    const std::int64_t room = std::min(config.solution_tokens, decoder.longest() - prompt);
    decoder.require_room(prompt, samples, room);
  }
}

void Workshop::require_search_room(const Config& config,
                                   std::span<const Question> questions) const {
  const std::int64_t breadth = std::max<std::int64_t>({config.root_breadth, config.breadth, 2}) +
                               (config.inject_solution ? 1 : 0);
  for (const Question& each : questions) {
    const std::int64_t prompt = std::ssize(prompts.question(each));
    const std::int64_t path = std::min(prompt + config.solution_tokens, decoder.longest());
    decoder.require_room(path, breadth, config.step_tokens);
    decoder.require_room(prompt, 2, path - prompt);  // a step that runs to the solution's end
    if (config.self_evaluation == "off") continue;
    const std::int64_t opinion = std::ssize(prompts.evaluation(each, {})) + config.solution_tokens;
    decoder.require_room(std::min(opinion, decoder.longest()), 0, 0);
  }
}

Learned Workshop::learned() const {
  return {policy.learned(), &policy.learned_layout(),
          [this](const at::Tensor& gradient) { return policy.weights(gradient); },
          [this] { policy.refresh(); }};
}

Accuracy Workshop::evaluate(train::RunContext& context) {
  decoder.set_parameters(policy.merged());
  if (!meeting) meeting = std::make_unique<Meeting>(context.world);
  const Accuracy found = greedy_accuracy(evaluation, sampler, *meeting, context.world);
  record(*context.metrics, context.step, found);
  return found;
}

bool Workshop::fits(const Config& config, const Question& question) const {
  const auto length = static_cast<std::int64_t>(prompts.question(question).size());
  return length + std::max<std::int64_t>(1, config.step_tokens / 4) <= decoder.longest();
}

void Workshop::begin_step(const Config& config, const train::RunContext& context) {
  if (worked) return;
  worked = true;
  context.world.agree([&] {
    if (!context.world.is_root()) return;
    for (const std::string& folder : {config.export_to, config.export_adapters_to}) {
      if (!folder.empty()) nn::require_new_folder(folder);
    }
  });
}

void Workshop::export_policy(const Config& config, const train::RunContext& context) const {
  context.world.agree([&] {
    if (context.world.is_root()) write_exports(config);
  });
}

void Workshop::write_exports(const Config& config) const {
  const auto wanted = [&](const std::string& folder) {
    if (folder.empty() || worked || !fs::exists(folder)) return !folder.empty();
    base::log_info("{} is there already and stays as it is", folder);
    return false;
  };
  if (wanted(config.export_to)) {
    policy.write(config.export_to, config.export_type);
    base::log_info("the model is in {}", config.export_to);
  }
  if (wanted(config.export_adapters_to)) {
    policy.write_adapters(config.export_adapters_to, config.model);
    base::log_info("its adapters are in {}", config.export_adapters_to);
  }
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
  if (config.learn_type != "float32") registry.identity("learn type", config.learn_type);
  if (!config.model.empty()) registry.identity("reference", policy.digest());
}

}  // namespace tenfold::mcts_dpo
