#include "mcts_dpo/data/generated_task.hpp"

#include <array>
#include <unordered_set>

#include "base/error.hpp"
#include "mcts_dpo/data/splits.hpp"

namespace tenfold::mcts_dpo {

namespace {

constexpr std::array<std::string_view, 4> kNames = {"sft", "pool", "validation", "test"};
/// Test and validation need one candidate in 16: a task that has any left is found in far fewer.
constexpr std::uint32_t kMostAttempts = 100'000;

}  // namespace

std::string_view split_name(Split split) {
  return kNames.at(static_cast<std::size_t>(split));
}

Split parse_split(std::string_view name) {
  for (std::uint32_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Split>(i);
  }
  throw base::Error(base::Code::kUsage, fmt::format("no split \"{}\"", name),
                    "One of sft, pool, validation, test");
}

bool in_share(const Question& question, Split split) {
  const std::uint64_t part = question_hash(question) >> 60;
  if (part < 7) return split == Split::kSft;
  if (part < 14) return split == Split::kPool;
  return split == (part == 14 ? Split::kValidation : Split::kTest);
}

std::vector<Question> generate(const GeneratedTask& task, Split split, std::size_t count) {
  base::require(count <= UINT32_MAX, "more items than streams");
  std::vector<Question> questions;
  questions.reserve(count);
  std::unordered_set<std::uint64_t> seen;
  for (std::uint32_t index = 0; index < count; ++index) {
    for (std::uint32_t attempt = 0; questions.size() == index; ++attempt) {
      if (attempt == kMostAttempts) {
        throw base::Error(
            base::Code::kUsage,
            fmt::format("task {}, split {}: {} different questions found, {} asked for",
                        task.name(), split_name(split), index, count),
            "Ask for fewer, or make the task's ranges wider");
      }
      std::optional<Question> question = task.draw(split, index, attempt);
      if (!question || !task.belongs(*question, split)) continue;
      if (!seen.insert(question_hash(*question)).second) continue;
      question->id = fmt::format("{}-{}-{}", task.name(), split_name(split), index);
      questions.push_back(std::move(*question));
    }
  }
  return questions;
}

base::Stream item_stream(std::uint32_t seed, Split split, std::uint32_t index,
                         std::uint32_t attempt, std::uint8_t part) {
  const std::uint64_t step =
      std::uint64_t{static_cast<std::uint32_t>(split)} << 40 | std::uint64_t{part} << 32 | attempt;
  return {seed, base::Purpose::kDataItem, index, step};
}

}  // namespace tenfold::mcts_dpo
