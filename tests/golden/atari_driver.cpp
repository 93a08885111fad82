// atari_driver TASK SETTINGS SEED DECISIONS: plays one environment by random actions and writes
// what it shows as records for test_atari.py: one a decision, and one where an episode begins.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "env/registry.hpp"

namespace {

using namespace tenfold;

void write(const env::BatchEnv& envs, bool begins, std::int64_t action) {
  const std::array<std::uint8_t, 8> facts{
      begins, static_cast<std::uint8_t>(action), envs.terminal()[0], envs.truncated()[0],
      envs.life_lost().empty() ? std::uint8_t{0} : envs.life_lost()[0]};
  std::fwrite(facts.data(), 1, facts.size(), stdout);
  std::fwrite(envs.rewards().data(), sizeof(float), 1, stdout);
  std::fwrite(envs.frames().data(), 1, envs.frames().size(), stdout);
}

void play(const std::string& task, const std::string& settings, std::uint32_t seed,
          std::int64_t decisions) {
  env::EnvOptions options;
  options.settings = settings;
  const auto envs = env::make_env(task, 1, options);
  base::Stream draws(seed, base::Purpose::kTest, 0, 0);
  std::uint64_t episode = 0;
  for (std::int64_t k = 0; k < decisions; ++k) {
    if (k == 0 || envs->terminal()[0] != 0 || envs->truncated()[0] != 0) {
      base::Stream start(seed, base::Purpose::kEnvReset, 0, episode++);
      envs->reset(0, start);
      write(*envs, true, 0);
    }
    const std::uint64_t action = draws.below(static_cast<std::uint64_t>(envs->spec().choices));
    envs->step(std::array<float, 1>{static_cast<float>(action)});
    write(*envs, false, static_cast<std::int64_t>(action));
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 5) throw std::invalid_argument("usage: atari_driver TASK SETTINGS SEED DECISIONS");
    play(argv[1], argv[2], static_cast<std::uint32_t>(std::stoul(argv[3])), std::stoll(argv[4]));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "atari_driver: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
