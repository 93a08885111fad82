#include "a3c/human_scores.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "base/file.hpp"

namespace tenfold::a3c {

using base::Code;
using base::Error;

namespace {

constexpr const char* kPrefix = "atari:";

bool read_number(const std::string& text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// "game,random,human"
ReferenceScores read_line(const std::string& line, const std::filesystem::path& file) {
  std::istringstream words(line);
  std::string game, random, human;
  std::getline(words, game, ',');
  std::getline(words, random, ',');
  std::getline(words, human);
  ReferenceScores scores{};
  if (!read_number(random, scores.random) || !read_number(human, scores.human) ||
      scores.human == scores.random) {
    throw Error(Code::kData, fmt::format("{}: '{}' is not GAME,RANDOM,HUMAN", file.string(), line));
  }
  return scores;
}

}  // namespace

std::optional<ReferenceScores> reference_scores(const std::string& task) {
  if (task.rfind(kPrefix, 0) != 0) return std::nullopt;
  const std::string begin = task.substr(std::string(kPrefix).size()) + ",";
  const std::filesystem::path file = base::data_file("atari57_scores.csv");
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(begin, 0) == 0) return read_line(line, file);
  }
  return std::nullopt;
}

}  // namespace tenfold::a3c
