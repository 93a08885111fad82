#include "mcts_dpo/question_sets.hpp"

#include <algorithm>
#include <sstream>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/shuffle.hpp"
#include "mcts_dpo/data/chain.hpp"
#include "mcts_dpo/data/commonsense.hpp"
#include "mcts_dpo/data/reader.hpp"
#include "mcts_dpo/data/splits.hpp"
#include "mcts_dpo/generation/prompts.hpp"

namespace tenfold::mcts_dpo {

namespace {

std::vector<Question> read(const Config& config, const std::string& file, std::uint32_t seed) {
  ReadOptions options;
  if (config.format != "auto") options.format = parse_format(config.format);
  options.skip_bad_rows = static_cast<std::size_t>(config.skip_bad_rows);
  options.seed = seed;
  ReadReport report = read_questions(file, options);
  if (report.bad() > 0) {
    std::string causes;
    for (const auto& [cause, count] : report.bad_rows) {
      causes += fmt::format("{}{} {}", causes.empty() ? "" : ", ", count, cause);
    }
    base::log_warning("{}: {} rows left out ({}); the first: {}", file, report.bad(), causes,
                      report.first_bad.front());
  }
  return std::move(report.questions);
}

std::vector<Question> fitting(std::vector<Question> questions, const std::string& file,
                              const Fits& fits) {
  const std::size_t all = questions.size();
  std::erase_if(questions, [&](const Question& each) { return !fits(each); });
  if (questions.empty() && all > 0) {
    throw base::Error(
        base::Code::kData,
        fmt::format("{}: all {} questions are too long for the model's positions", file, all),
        "Take a model with more positions, or a smaller --step-tokens");
  }
  if (questions.size() < all) {
    base::log_warning("{}: {} of {} questions are too long for the model and are left out", file,
                      all - questions.size(), all);
  }
  return questions;
}

std::vector<Question> all_fitting(std::vector<Question> questions, const Config& config,
                                  const Fits& fits) {
  for (const Question& each : questions) {
    if (fits(each)) continue;
    throw base::Error(base::Code::kUsage,
                      fmt::format("question {} of --task {} leaves no room for a step in the "
                                  "model's positions",
                                  each.id, config.task),
                      "Give a fresh model more --positions, or take a smaller --step-tokens");
  }
  return questions;
}

// So many, from all over a file, which may be sorted.
std::vector<Question> spread(std::vector<Question> questions, std::size_t count) {
  std::vector<Question> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    chosen.push_back(std::move(questions[i * questions.size() / count]));
  }
  return chosen;
}

std::size_t questions_of_run(const Config& config) {
  return static_cast<std::size_t>(config.rounds * config.questions);
}

}  // namespace

std::unique_ptr<GeneratedTask> make_task(const Config& config, std::uint32_t seed, double flip) {
  if (config.task == "files") return nullptr;
  if (config.task == "commonsense")
    return std::make_unique<CommonsenseTask>(CommonsenseOptions{seed});
  ChainOptions options;
  options.seed = seed;
  options.flip = flip;
  options.verbose_text = config.verbose_text;
  if (config.task == "chain-long") {
    options.fewest_clauses = 4;
    options.most_clauses = 6;
  }
  return std::make_unique<ChainTask>(options);
}

std::vector<std::string> prompt_words(const Config& config) {
  Question empty;
  const EvaluationTemplates templates = evaluation_templates(config);
  std::string text = prompt_text(empty, {config.prompt_question, config.prompt_answer});
  text += " " + evaluation_prompt(empty, {}, templates);
  text +=
      " " + fill_template("prompt.reference-text", config.prompt_reference, {"reference"}, {""});
  text += " " + verdict_text(true, templates) + " " + verdict_text(false, templates);
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  }
  return words;
}

namespace {

std::vector<EvaluationTemplates> verdict_forms(const Config& config) {
  const EvaluationTemplates asked = evaluation_templates(config);
  if (config.verdict_forms == "asked") return {asked};
  std::vector<EvaluationTemplates> forms;
  for (const auto shown :
       {EvaluationReference::kSolution, EvaluationReference::kAnswer, EvaluationReference::kNone}) {
    for (const char letter : {'A', 'B'}) {
      forms.push_back(asked);
      forms.back().shown = shown;
      forms.back().right_letter = letter;
    }
  }
  return forms;
}

}  // namespace

std::vector<EvaluationExample> verdict_examples(const Config& config, std::uint32_t seed,
                                                std::size_t count) {
  const auto task = make_task(config, seed, 0);
  const std::vector<Question> questions = generate(*task, Split::kSft, count);
  const std::vector<EvaluationTemplates> forms = verdict_forms(config);
  std::vector<EvaluationExample> examples;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    // Two in succession, a right and a wrong one, have one form.
    auto example = evaluation_example(*task, questions[i], seed, Split::kSft,
                                      static_cast<std::uint32_t>(i), forms[i / 2 % forms.size()]);
    if (example) examples.push_back(std::move(*example));
  }
  return examples;
}

const std::vector<Question>& TrainFile::questions() {
  if (!questions_) questions_ = read(config_, config_.train_file, seed_);
  return *questions_;
}

std::vector<Question> teacher_questions(const Config& config, std::uint32_t seed, TrainFile& file) {
  if (const auto task = make_task(config, seed, config.flip)) {
    return generate(*task, Split::kSft, static_cast<std::size_t>(config.sft_examples));
  }
  std::vector<Question> questions = file.questions();
  const std::size_t all = questions.size();
  std::erase_if(questions, [](const Question& each) { return each.solution.empty(); });
  if (questions.empty()) {
    throw base::Error(base::Code::kData,
                      fmt::format("{}: no question has a solution to imitate", config.train_file),
                      "Give a file with solutions, or a model that needs no --mode sft");
  }
  if (questions.size() < all) {
    base::log_warning("{}: {} of {} questions have no solution and are left out", config.train_file,
                      all - questions.size(), all);
  }
  return questions;
}

std::vector<Question> search_questions(const Config& config, std::uint32_t seed, TrainFile& file,
                                       const Fits& fits) {
  const std::size_t wanted = questions_of_run(config);
  if (const auto task = make_task(config, seed, 0)) {
    return all_fitting(generate(*task, Split::kPool, wanted), config, fits);
  }
  const std::vector<Question> all = fitting(file.questions(), config.train_file, fits);
  std::vector<Question> questions;
  for (std::uint64_t epoch = 0; questions.size() < wanted; ++epoch) {
    const auto order =
        base::shuffled(all.size(), base::Stream(seed, base::Purpose::kDataOrder, 0, epoch));
    for (std::size_t i = 0; i < order.size() && questions.size() < wanted; ++i) {
      questions.push_back(all[order[i]]);
    }
  }
  return questions;
}

std::vector<Question> evaluation_questions(const Config& config, std::uint32_t seed,
                                           TrainFile& file, const Fits& fits) {
  const auto count = static_cast<std::size_t>(config.eval_questions);
  if (const auto task = make_task(config, seed, 0)) {
    return all_fitting(generate(*task, parse_split(config.eval_split), count == 0 ? 300 : count),
                       config, fits);
  }
  std::vector<Question> questions =
      fitting(read(config, config.eval_file, seed), config.eval_file, fits);
  if (count > 0 && questions.size() > count) questions = spread(std::move(questions), count);
  if (!config.train_file.empty()) {
    const std::size_t leaked = check_leak(file.questions(), questions, config.allow_leak);
    if (leaked > 0) base::log_warning("{} questions of --eval-file are in --train-file", leaked);
  }
  return questions;
}

}  // namespace tenfold::mcts_dpo
