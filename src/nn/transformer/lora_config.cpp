#include "nn/transformer/lora_config.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::nn {

namespace {

bool is_target(std::string_view module, std::string_view target) {
  return module == target ||
         (module.ends_with(target) && module[module.size() - target.size() - 1] == '.');
}

}  // namespace

std::span<const std::vector<std::string>> adaptable_modules(TransformerFamily family) {
  static const std::array<std::vector<std::string>, 4> kLlama{
      {{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
       {"self_attn.o_proj"},
       {"mlp.gate_proj", "mlp.up_proj"},
       {"mlp.down_proj"}}};
  static const std::array<std::vector<std::string>, 4> kGpt2{
      {{"attn.c_attn"}, {"attn.c_proj"}, {"mlp.c_fc"}, {"mlp.c_proj"}}};
  return family == TransformerFamily::kLlama ? kLlama : kGpt2;
}

bool LoraConfig::adapts(std::string_view module) const {
  return std::any_of(targets.begin(), targets.end(),
                     [&](const std::string& target) { return is_target(module, target); });
}

void LoraConfig::validate(TransformerFamily family) const {
  const auto refuse = [](const std::string& what, const std::string& hint) {
    throw base::Error(base::Code::kUsage, "LoRA: " + what, hint);
  };
  if (rank < 1 || rank > 65536) {
    refuse(fmt::format("the rank must be 1 to 65536, got {}", rank), "Ranks are usually 4 to 128");
  }
  if (!std::isfinite(alpha) || alpha <= 0) {
    refuse(fmt::format("alpha must be positive, got {}", alpha), "Alpha is usually 1 or 2 ranks");
  }
  std::vector<std::string> known;
  for (const auto& group : adaptable_modules(family)) {
    known.insert(known.end(), group.begin(), group.end());
  }
  if (targets.empty()) refuse("no modules to adapt", "Name some of " + base::join(known, ", "));
  for (const std::string& target : targets) {
    if (std::none_of(known.begin(), known.end(), [&](const std::string& module) {
          return !target.empty() && is_target(module, target);
        })) {
      refuse(fmt::format("a {} model has no module '{}' to adapt", to_string(family),
                         base::printable(target)),
             "There are " + base::join(known, ", "));
    }
  }
}

}  // namespace tenfold::nn
