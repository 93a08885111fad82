#include "mcts_dpo/modes/memory_plan.hpp"

#include <fmt/core.h>

#include <cmath>

#include "base/log.hpp"
#include "mcts_dpo/generation/decoder.hpp"

namespace tenfold::mcts_dpo {

namespace {

constexpr double kTolerance = 0.15;
constexpr double kLeast = 64 << 20;

nn::GradientSum sum_of(train::ReduceMode mode) {
  if (mode == train::ReduceMode::kFast) return nn::GradientSum::kFast;
  return mode == train::ReduceMode::kFixed ? nn::GradientSum::kFixed : nn::GradientSum::kOrdered;
}

nn::DecoderCopy decoder_of(const Config& config, const at::Device& device) {
  if (config.decode_type == "bfloat16") return nn::DecoderCopy::kBfloat16;
  return decodes_fused(config, device) ? nn::DecoderCopy::kFused : nn::DecoderCopy::kFloat32;
}

std::string size(double bytes) {
  if (bytes < 1e6) return fmt::format("{:.1f} kB", 1e-3 * bytes);
  return bytes < 1e9 ? fmt::format("{:.1f} MB", 1e-6 * bytes)
                     : fmt::format("{:.2f} GB", 1e-9 * bytes);
}

std::string line(const std::string& name, const std::string& value) {
  return fmt::format("  {:<30} {:>10}\n", name, value);
}

}  // namespace

nn::TrainingPlan training_plan(const Config& config, const train::RunContext& context,
                               const nn::LearningPass& largest) {
  const bool iterates = config.mode == "iterate";
  nn::TrainingPlan plan;
  plan.ranks = context.shards.world;
  plan.sum = sum_of(context.reducer->mode());
  plan.shards_per_rank = static_cast<double>(context.shards.local());
  plan.zero1 = context.optimizer.zero1;
  plan.decay = config.weight_decay > 0;
  plan.reference = iterates && keeps_reference(config);
  plan.snapshot = iterates && config.policy_refresh > 1;
  plan.decoder = decoder_of(config, context.device.device);
  plan.cache_bytes = static_cast<double>(config.cache_mib << 20);
  plan.pass = largest;
  plan.pass.logits_chunk = static_cast<double>(config.logits_chunk);
  plan.pass.lora_rank = config.lora_rank;
  plan.pass.bfloat16 = config.learn_type == "bfloat16";
  plan.pass.recompute = config.recompute;
  return plan;
}

std::string memory_text(const nn::TransformerConfig& model, const nn::TrainingPlan& plan,
                        const train::RunContext& context, double peak) {
  const bool gpu = !context.device.device.is_cpu();
  std::string text =
      fmt::format("memory of a rank, planned, largest pass {} tokens in rows of {}\n",
                  plan.pass.tokens, plan.pass.length);
  double all = 0;
  for (const nn::MemoryItem& each : nn::memory_of(model, plan)) {
    text += line(each.name + (gpu && each.host ? " (host)" : ""), size(each.bytes));
    all += gpu && each.host ? 0 : each.bytes;
  }
  text += line(gpu ? "all, of the GPU" : "all", size(all));
  if (gpu) return text + "  (what a GPU really holds is not measured)\n";
  const double off = peak / all - 1;
  text += line(fmt::format("measured ({:+.0f} %)", 100 * off), size(peak));
  if (all > kLeast && std::abs(off) > kTolerance) {
    base::log_warning(
        "a rank came to hold {} where {} were planned. Gaps in the C library's heap are part of "
        "it: "
        "MALLOC_MMAP_THRESHOLD_=65536 leaves none, for more CPU time",
        size(peak), size(all));
  }
  return text;
}

}  // namespace tenfold::mcts_dpo
