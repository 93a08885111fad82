// game_views TASK SETTINGS SEED CHOICES...: what game_sheet.py draws. Plays the choices given, each
// "CHOICEsTIMES" (6s12: choice 6 for 12 decisions), and writes to stdout a line of JSON {side,
// pictures}, then a picture [side, side, 3] of the start and of the end of each.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "env/registry.hpp"

namespace {

using namespace tenfold;

void write_picture(const env::BatchEnv& batch) {
  const auto frames = batch.frames();
  std::cout.write(reinterpret_cast<const char*>(frames.data()),
                  static_cast<std::streamsize>(frames.size()));
}

void play(int argc, char** argv) {
  env::EnvOptions options;
  options.settings = argv[2];
  const auto batch = env::make_env(argv[1], 1, options);
  base::Stream start(static_cast<std::uint32_t>(std::stoul(argv[3])), base::Purpose::kTest, 0, 0);
  batch->reset(0, start);
  std::cout << nlohmann::json{{"side", batch->spec().picture[0]}, {"pictures", argc - 3}}.dump()
            << '\n';
  write_picture(*batch);
  for (int k = 4; k < argc; ++k) {
    const std::string word = argv[k];
    const std::size_t middle = word.find('s');
    const std::vector<float> action(1, std::stof(word.substr(0, middle)));
    for (int times = std::stoi(word.substr(middle + 1)); times > 0; --times) batch->step(action);
    write_picture(*batch);
  }
  if (!std::cout.flush()) throw std::runtime_error("cannot write");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 4)
      throw std::invalid_argument("usage: game_views TASK SETTINGS SEED CHOICEsTIMES...");
    play(argc, argv);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "game_views: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
