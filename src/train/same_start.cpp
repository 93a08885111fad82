#include "train/same_start.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::train {

namespace {

constexpr char kBetween = '\x1f';  // never part of an argument that anybody writes

// With the option whose value it is.
std::string shown(const std::vector<std::string>& words, std::size_t i) {
  if (i >= words.size() || words[i].empty()) return "nothing";
  const bool value = i > 0 && words[i - 1].starts_with("--") && !words[i].starts_with("--");
  return "'" + (value ? base::printable(words[i - 1]) + " " : "") + base::printable(words[i]) + "'";
}

std::string difference(const std::vector<std::string>& there,
                       const std::vector<std::string>& here) {
  const auto [a, b] = std::mismatch(there.begin(), there.end(), here.begin(), here.end());
  return fmt::format("{} there, {} on rank 0",
                     shown(there, static_cast<std::size_t>(a - there.begin())),
                     shown(here, static_cast<std::size_t>(b - here.begin())));
}

}  // namespace

std::vector<std::string> start_words(const std::vector<std::string>& arguments,
                                     const std::vector<std::string>& environment) {
  std::vector<std::string> options;
  for (const std::string& entry : environment) {
    const std::string name = entry.substr(0, entry.find('='));
    if (name.starts_with("TENFOLD_") && name.find("__") != name.npos) options.push_back(entry);
  }
  std::sort(options.begin(), options.end());
  std::vector<std::string> words = arguments;
  words.insert(words.end(), options.begin(), options.end());
  return words;
}

void require_same_start(const comm::Communicator& world, const std::vector<std::string>& words) {
  const std::vector<std::string> all =
      world.gather_texts(base::join(words, std::string_view(&kBetween, 1)));
  world.agree([&] {
    for (std::size_t rank = 1; rank < all.size(); ++rank) {
      if (all[rank] == all[0]) continue;
      throw base::Error(
          base::Code::kUsage,
          fmt::format("rank {} was started with other options than rank 0: {}", rank,
                      difference(base::split(all[rank], kBetween), base::split(all[0], kBetween))),
          "Start all ranks with the same arguments and TENFOLD_ variables");
    }
  });
}

}  // namespace tenfold::train
