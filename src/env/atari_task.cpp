#include "env/atari_task.hpp"

#include <algorithm>
#include <cctype>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::env {

using base::Code;
using base::Error;

namespace {

constexpr const char* kPrefix = "atari:";

// "ALE/MsPacman-v5" and "ms_pacman" as "mspacman".
std::string folded(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char each) { return static_cast<char>(std::tolower(each)); });
  if (name.rfind("ale/", 0) == 0) name.erase(0, 4);
  if (name.size() > 3 && name.compare(name.size() - 3, 3, "-v5") == 0) name.resize(name.size() - 3);
  name.erase(std::remove(name.begin(), name.end(), '_'), name.end());
  return name;
}

}  // namespace

bool is_atari_task(const std::string& task) {
  return task.rfind(kPrefix, 0) == 0;
}

const std::vector<Setting>& atari_settings() {
  static const std::vector<Setting> kSettings{
      {"noops", 30, 0, 100000, true, "an episode begins with 1 to so many frames of nothing done"},
      {"sticky", 0, 0, 1, false, "probability of an emulator frame to keep the action before it"},
      {"life-loss", 0, 0, 1, true, "1: a lost life is an end for the learner, not for the score"},
      {"full-actions", 0, 0, 1, true, "1: all 18 actions, also those that the game ignores"},
      {"fire", 0, 0, 1, true, "1: episodes begin with FIRE pressed, in games that have it"},
      {"frames", 108000, 1, 1e9, true, "emulator frames until an episode is cut"}};
  return kSettings;
}

std::string atari_game(const std::string& task, std::span<const std::string> games) {
  const std::string asked = folded(task.substr(std::string(kPrefix).size()));
  std::vector<std::string> names;
  for (const std::string& game : games) {
    names.push_back(folded(game));
    if (names.back() == asked) return game;
  }
  // Gymnasium's older IDs mean other settings: not taken, but understood.
  const std::string bare = asked.substr(0, std::min(asked.find("noframeskip"), asked.find("-v")));
  const std::string near = base::nearest(bare, names);
  const auto at = std::find(names.begin(), names.end(), near);
  throw Error(Code::kUsage, fmt::format("unknown Atari game in task '{}'", base::printable(task)),
              at == names.end() ? fmt::format("ale-py has {}", base::join(games, ", "))
                                : fmt::format("Did you mean {}{}?", kPrefix,
                                              games[static_cast<std::size_t>(at - names.begin())]));
}

}  // namespace tenfold::env
