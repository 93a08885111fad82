#include "tenfold/language_model_table.hpp"

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

nn::TrainingPlan plan_of(const Arguments& arguments, double ranks) {
  nn::TrainingPlan plan;
  plan.ranks = ranks;
  plan.gradient_copies = arguments.has("ordered") ? arguments.real("shards", 8, 1, 65536) : 1;
  plan.recompute = arguments.has("recompute");
  plan.zero1 = arguments.has("zero1");
  plan.lora_rank = arguments.whole("lora-rank", 0, 0, 65536);
  plan.cache_bytes = 1e9 * arguments.real("cache", 20, 0, 1e6);
  plan.forward_tokens = arguments.real("forward", 8192, 1, 1e9);
  return plan;
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
  for (std::size_t i = 0; i < columns.front().size(); ++i) {
    std::vector<std::string> row{columns.front()[i].name};
    for (const auto& column : columns) row.push_back(fmt::format("{:.1f}", 1e-9 * column[i].bytes));
    table.add(std::move(row));
  }
  std::vector<std::string> row{"all"};
  for (const auto& column : columns) {
    row.push_back(fmt::format("{:.1f}", 1e-9 * nn::total_bytes(column)));
  }
  table.add(std::move(row));
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
