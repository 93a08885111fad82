#include "mcts_dpo/data/splits.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"

namespace tenfold::mcts_dpo {

namespace {

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  return base::xxh64(std::as_bytes(std::span(text)), seed);
}

std::string place(const Question& question) {
  if (question.line == 0) return fmt::format("\"{}\"", question.id);
  return fmt::format("\"{}\" (line {})", question.id, question.line);
}

}  // namespace

std::string normalised_text(std::string_view text) {
  std::string normal;
  normal.reserve(text.size());
  bool gap = false;
  for (const char byte : text) {
    if (byte == ' ' || (byte >= '\t' && byte <= '\r')) {
      gap = !normal.empty();
      continue;
    }
    if (gap) normal += ' ';
    gap = false;
    normal += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  }
  return normal;
}

std::uint64_t question_hash(const Question& question) {
  std::vector<std::string> choices;
  for (const std::string& choice : question.choices) choices.push_back(normalised_text(choice));
  std::sort(choices.begin(), choices.end());
  std::uint64_t hash = hash_of(normalised_text(question.text), 0);
  for (const std::string& choice : choices) hash = hash_of(choice, hash);
  return hash;
}

std::vector<std::vector<Question>> split_by_hash(std::vector<Question> questions,
                                                 std::span<const double> shares,
                                                 std::uint64_t seed) {
  double total = 0;
  for (const double share : shares) {
    if (!(share > 0) || !std::isfinite(share)) {
      throw base::Error(base::Code::kUsage, fmt::format("a split's share is {}", share),
                        "Give positive numbers");
    }
    total += share;
  }
  base::require(!shares.empty(), "a split into no parts");
  std::vector<std::vector<Question>> parts(shares.size());
  for (Question& question : questions) {
    const std::uint64_t own = question_hash(question);
    const std::uint64_t hash = base::xxh64(std::as_bytes(std::span(&own, 1)), seed);
    double left = static_cast<double>(hash >> 11) * 0x1.0p-53 * total;
    std::size_t part = 0;
    while (part + 1 < shares.size() && left >= shares[part]) left -= shares[part++];
    parts[part].push_back(std::move(question));
  }
  return parts;
}

std::size_t check_leak(std::span<const Question> train, std::span<const Question> evaluation,
                       bool allow) {
  std::unordered_map<std::uint64_t, const Question*> known;
  for (const Question& question : train) known.emplace(question_hash(question), &question);
  std::vector<std::string> first;
  std::size_t leaks = 0;
  for (const Question& question : evaluation) {
    const auto found = known.find(question_hash(question));
    if (found == known.end()) continue;
    ++leaks;
    if (first.size() < 3) {
      first.push_back(fmt::format("{} is {}", place(question), place(*found->second)));
    }
  }
  if (leaks > 0 && !allow) {
    throw base::Error(base::Code::kData,
                      fmt::format("{} of {} evaluation questions are training questions too: {}{}",
                                  leaks, evaluation.size(), base::join(first, ", "),
                                  leaks > first.size() ? ", ..." : ""),
                      "Take them out, or say --allow-leak");
  }
  return leaks;
}

}  // namespace tenfold::mcts_dpo
