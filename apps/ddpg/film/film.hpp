// Plays a run's policy and films it: a video, a sheet of pictures of one episode, and what was
// played.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tenfold::ddpg {

struct FilmOptions {
  std::filesystem::path run;
  std::filesystem::path video;  ///< .mp4, .webm or .gif; its .png and .json beside it
  std::int64_t episodes = 3;
  int width = 480, height = 360;  ///< even
};

struct Film {
  std::string task;
  std::uint64_t step = 0;  ///< of the checkpoint whose policy plays
  std::filesystem::path video, sheet, facts;
  std::vector<double> returns, lengths;  ///< per episode: sums of rewards, decisions
  std::vector<std::string> warnings;
};

/// Without noise, in real time at most 60 pictures a second. The episodes are those of the newest
/// evaluation before the checkpoint, in its order: with as many of them, their mean return is its
/// eval/return, up to rounding. The sheet shows the first.
///
/// Throws Code::kUsage: a planner's run, a task without pictures, no ffmpeg, no film's name; and as
/// read_config, load_policy, Renderer and FrameWriter.
Film make_film(const FilmOptions& options);

}  // namespace tenfold::ddpg
