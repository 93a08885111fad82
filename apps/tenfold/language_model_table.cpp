#include "tenfold/language_model_table.hpp"

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nn/huggingface/model_config.hpp"
#include "nn/transformer/transformer_plan.hpp"
#include "tenfold/simulate_input.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {

namespace fs = std::filesystem;

namespace {

nn::TransformerConfig read_config(const std::string& path) {
  const fs::path file = fs::is_directory(path) ? fs::path(path) / "config.json" : fs::path(path);
  return nn::parse_model_config(nn::JsonDocument::read(file)).transformer;
}

bool is_bfloat16(const Arguments& arguments, const std::string& option) {
  const std::string type = arguments.text(option, "float32");
  if (type != "float32" && type != "bfloat16") {
    throw base::Error(
        base::Code::kUsage,
        fmt::format("--{} {}: neither float32 nor bfloat16", option, base::printable(type)),
        "Choose one of them, as mcts_dpo has it");
  }
  return type == "bfloat16";
}

nn::TrainingPlan plan_of(const Arguments& arguments, double ranks) {
  nn::TrainingPlan plan;
  plan.ranks = ranks;
  if (arguments.has("ordered")) plan.sum = nn::GradientSum::kOrdered;
  plan.shards_per_rank = arguments.real("shards", 8, 1, 65536);
  plan.zero1 = arguments.has("zero1");
  plan.decay = arguments.has("decay");
  plan.decoder = is_bfloat16(arguments, "decode-type") ? nn::DecoderCopy::kBfloat16
                                                       : nn::DecoderCopy::kFloat32;
  plan.cache_bytes = 1e9 * arguments.real("cache", 20, 0, 1e6);
  nn::LearningPass& pass = plan.pass;
  pass.tokens = pass.predicted = arguments.real("forward", 8192, 1, 1e9);
  pass.length = std::min(pass.tokens, arguments.real("row", 512, 1, 1e9));
  pass.lora_rank = arguments.whole("lora-rank", 0, 0, 65536);
  pass.bfloat16 = is_bfloat16(arguments, "learn-type");
  pass.recompute = arguments.has("recompute");
  return plan;
}

// Of all columns, in their order: some take parts that others do not.
std::vector<std::string> names_of(const std::vector<std::vector<nn::MemoryItem>>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) {
    auto at = names.begin();
    for (const nn::MemoryItem& each : column) {
      const auto found = std::find(names.begin(), names.end(), each.name);
      at = found == names.end() ? names.insert(at, each.name) + 1 : found + 1;
    }
  }
  return names;
}

std::string memory_table(const Arguments& arguments, const nn::TransformerConfig& config,
                         const std::vector<std::uint64_t>& ranks) {
  std::vector<std::string> head{"GB of a rank"};
  std::vector<std::vector<nn::MemoryItem>> columns;
  for (const std::uint64_t each : ranks) {
    head.push_back(fmt::format(">{} {}", each, each == 1 ? "rank" : "ranks"));
    columns.push_back(nn::memory_of(config, plan_of(arguments, static_cast<double>(each))));
  }
  TextTable table(head);
  const auto add = [&](const std::string& name, const auto& bytes_of) {
    std::vector<std::string> row{name};
    for (const auto& column : columns)
      row.push_back(fmt::format("{:.1f}", 1e-9 * bytes_of(column)));
    table.add(std::move(row));
  };
  const auto sum = [](const std::vector<nn::MemoryItem>& column, bool host) {
    double bytes = 0;
    for (const nn::MemoryItem& each : column) bytes += each.host && !host ? 0 : each.bytes;
    return bytes;
  };
  for (const std::string& name : names_of(columns)) {
    add(name, [&](const std::vector<nn::MemoryItem>& column) {
      double bytes = 0;
      for (const nn::MemoryItem& each : column) bytes += each.name == name ? each.bytes : 0;
      return bytes;
    });
  }
  add("all", [&](const auto& column) { return sum(column, true); });
  add("all, of a GPU", [&](const auto& column) { return sum(column, false); });
  return table.text("  ");
}

std::string time_table(const Arguments& arguments, const nn::TransformerConfig& config,
                       const std::vector<std::uint64_t>& ranks) {
  const double questions = arguments.real("questions", 7500, 1, 1e12);
  const double sampled = questions * arguments.real("children", 100, 1, 1e9) *
                         arguments.real("step-tokens", 60, 1, 1e9);
  const double learned = questions * arguments.real("tree-tokens", 1500, 1, 1e9);
  const double rate = arguments.real("decode-rate", 5000, 1e-6, 1e12);
  const double operations = nn::training_operations(config, learned);
  const double flops = arguments.real("flops", 1.2e14, 1, 1e21);
  TextTable table({">ranks", ">searching", ">learning", ">both"});
  for (const std::uint64_t each : ranks) {
    const auto count = static_cast<double>(each);
    const double search = sampled / (rate * count), learn = operations / (flops * count);
    table.add({std::to_string(each), base::human_duration(search), base::human_duration(learn),
               base::human_duration(search + learn)});
  }
  return fmt::format("{:.3g} tokens sampled, {:.3g} learned from ({:.3g} operations)\n{}", sampled,
                     learned, operations, table.text("  "));
}

}  // namespace

std::string language_model_text(const Arguments& arguments) {
  const nn::TransformerConfig config = read_config(arguments.text("language-model", ""));
  const auto ranks = parse_ranks(arguments.text("ranks", "1,8,64"));
  const std::int64_t rank = arguments.whole("lora-rank", 0, 0, 65536);
  std::string text =
      fmt::format("{} of {} parameters, {} of keys and values a token (float32)\n",
                  nn::to_string(config.family), base::human_count(nn::parameter_count(config)),
                  base::human_bytes(nn::cache_bytes_per_token(config, 4)));
  if (rank > 0) {
    text += fmt::format("adapters of rank {}: {} parameters\n", rank,
                        base::human_count(nn::adapter_count(config, rank)));
  }
  return text + "\n" + memory_table(arguments, config, ranks) + "\n" +
         time_table(arguments, config, ranks);
}

}  // namespace tenfold::tool
