// A film of a policy: a video of some episodes, a sheet of pictures of the first, and what was
// played.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "env/batch_env.hpp"
#include "rl/film/camera.hpp"

namespace tenfold::rl {

struct FilmOptions {
  std::filesystem::path run;
  std::filesystem::path video;  ///< .mp4, .webm or .gif; its .png and .json beside it
  std::int64_t episodes = 3;
};

struct Film {
  std::string task;
  std::filesystem::path checkpoint;  ///< whose policy plays
  std::uint64_t step = 0;            ///< of the checkpoint
  std::filesystem::path video, sheet, facts;
  std::vector<double> returns, lengths;  ///< per episode: sums of rewards, decisions
  std::vector<std::string> warnings;
};

/// Actions for the one environment of a film, in the state that it is in: t decisions into episode
/// number.
using Play = std::function<void(std::int64_t number, std::int64_t t, std::vector<float>& action)>;

/// Plays options.episodes episodes in env, a batch of one, in real time at most 60 pictures a
/// second; a task that knows no seconds has 10 decisions a second. begin(number) starts an
/// episode. film comes with task, checkpoint and step. Throws as FrameWriter, Camera and
/// check_film_name.
void make_film(const FilmOptions& options, env::BatchEnv& env, Camera& camera,
               const std::function<void(std::int64_t number)>& begin, const Play& play, Film& film);

/// The program APP_film RUN EPISODES FILE, which `tenfold show --video RUN` starts: reads its
/// words, films, reports. Returns the exit code.
int film_program(int argc, char** argv, const std::string& app,
                 const std::function<Film(const FilmOptions&)>& film);

}  // namespace tenfold::rl
