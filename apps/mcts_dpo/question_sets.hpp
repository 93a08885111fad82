// The questions of a run: generated, or read from files.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcts_dpo/config.hpp"
#include "mcts_dpo/data/generated_task.hpp"
#include "mcts_dpo/data/question.hpp"
#include "mcts_dpo/data/self_evaluation.hpp"

namespace tenfold::mcts_dpo {

/// The generated task that the options name; null for files. flip: of its teacher.
std::unique_ptr<GeneratedTask> make_task(const Config& config, std::uint32_t seed, double flip);
/// Words of prompts, self-evaluations and verdicts that the task itself may not have.
std::vector<std::string> prompt_words(const Config& config);
/// Partial solutions with the verdict on them, as the options have them (--verdicts): of right
/// solutions, half of them spoilt.
std::vector<EvaluationExample> verdict_examples(const Config& config, std::uint32_t seed,
                                                std::size_t count);

/// Whether the model can read a question and answer it.
using Fits = std::function<bool(const Question&)>;

/// What is in --train-file, read at most once, when it is first asked for.
class TrainFile {
 public:
  TrainFile(const Config& config, std::uint32_t seed) : config_(config), seed_(seed) {}
  /// Throws Code::kData, Code::kIo.
  const std::vector<Question>& questions();

 private:
  const Config& config_;
  std::uint32_t seed_;
  std::optional<std::vector<Question>> questions_;
};

/// Questions to imitate solutions of (--mode sft, sft-continue). Throws Code::kData where a file
/// has none.
std::vector<Question> teacher_questions(const Config& config, std::uint32_t seed, TrainFile& file);
/// The questions to search of all rounds, one after the other; a file's come in a new order in
/// every epoch. Those of a file that do not fit are left out, with a warning. Throws Code::kData,
/// Code::kUsage where a generated one does not fit.
std::vector<Question> search_questions(const Config& config, std::uint32_t seed, TrainFile& file,
                                       const Fits& fits);
/// Questions to be measured by. Throws Code::kData, also where one of them is in the train file
/// (unless --allow-leak). Fits as above.
std::vector<Question> evaluation_questions(const Config& config, std::uint32_t seed,
                                           TrainFile& file, const Fits& fits);

}  // namespace tenfold::mcts_dpo
