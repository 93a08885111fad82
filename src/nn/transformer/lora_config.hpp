// Which low-rank adapters a model gets (Hu et al. 2022).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/transformer/transformer_config.hpp"

namespace tenfold::nn {

/// W becomes W + alpha / rank * B A, with A [rank, in] and B [out, rank].
struct LoraConfig {
  std::int64_t rank = 8;
  double alpha = 16;
  /// Modules, as PEFT names them: "q_proj", or "attn.c_proj" where the last word is not enough.
  std::vector<std::string> targets{};

  double scale() const { return alpha / static_cast<double>(rank); }
  /// Throws Code::kUsage naming the value, or the target that no module has.
  void validate(TransformerFamily family) const;
  /// Whether module ("self_attn.q_proj") is a target.
  bool adapts(std::string_view module) const;
};

/// The modules of a layer that may be adapted, those whose products are one product together:
/// "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"; "self_attn.o_proj"; ...
std::span<const std::vector<std::string>> adaptable_modules(TransformerFamily family);

}  // namespace tenfold::nn
