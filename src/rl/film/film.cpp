#include "rl/film/film.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/text.hpp"
#include "rl/film/frame_writer.hpp"

namespace tenfold::rl {

namespace fs = std::filesystem;

namespace {

constexpr double kMostFrames = 60;            // a second
constexpr double kPause = 0.5;                // seconds for which an episode's last picture stays
constexpr double kSecondsWithoutClock = 0.1;  // of a decision where the task knows no seconds
constexpr std::size_t kSheetColumns = 4, kSheetPictures = 8;
constexpr int kGap = 2;  // pixels between a sheet's pictures

double decision_seconds(const env::Spec& spec) {
  if (spec.control_dt <= 0) return kSecondsWithoutClock;
  return spec.control_dt * static_cast<double>(spec.action_repeat);
}

// Decisions from one picture to the next: all, unless that were more than kMostFrames a second.
std::size_t stride_of(double seconds) {
  const double wanted = 1 / (kMostFrames * seconds);
  return static_cast<std::size_t>(std::max(1.0, std::ceil(wanted - 1e-9)));
}

// Returns what the episode returned.
double play_episode(env::BatchEnv& env, Camera& camera, std::int64_t number, const Play& play) {
  std::vector<float> action(env.spec().action_size);
  double episode_return = 0;
  camera.clear();
  camera.take();
  std::int64_t t = 0;
  do {
    play(number, t++, action);
    env.step(action);
    camera.take();
    episode_return += env.rewards()[0];
  } while (env.terminal()[0] == 0 && env.truncated()[0] == 0);
  return episode_return;
}

void film_episode(Camera& camera, std::size_t stride, double rate, FrameWriter& writer) {
  std::vector<std::uint8_t> rgb;
  for (std::size_t t = 0; t < camera.shots(); t += stride) {
    rgb = camera.draw(t, camera.width(), camera.height());
    writer.add(rgb);
  }
  const auto still = static_cast<int>(std::lround(kPause * rate));
  for (int k = 0; k < still; ++k) writer.add(rgb);
}

// Of pictures at equal distances of time, the first and the last included; row by row. Returns the
// decisions that they follow.
std::vector<std::size_t> draw_sheet(Camera& camera, const fs::path& ffmpeg, const fs::path& path) {
  const int width = camera.width() / 2, height = camera.height() / 2;
  const std::size_t rows = kSheetPictures / kSheetColumns;
  const std::size_t line = 3 * static_cast<std::size_t>(width);
  std::vector<std::uint8_t> sheet(kSheetPictures * line * static_cast<std::size_t>(height), 255);
  std::vector<std::size_t> times;
  for (std::size_t k = 0; k < kSheetPictures; ++k) {
    times.push_back(k * (camera.shots() - 1) / (kSheetPictures - 1));
    const int inner_width = width - kGap, inner_height = height - kGap;
    const std::vector<std::uint8_t> rgb = camera.draw(times.back(), inner_width, inner_height);
    const std::size_t inner_line = 3 * static_cast<std::size_t>(inner_width);
    const std::size_t top = k / kSheetColumns * static_cast<std::size_t>(height);
    for (std::size_t y = 0; y < static_cast<std::size_t>(inner_height); ++y) {
      std::copy_n(rgb.data() + y * inner_line, inner_line,
                  sheet.data() + ((top + y) * kSheetColumns + k % kSheetColumns) * line);
    }
  }
  FrameWriter writer(ffmpeg, path, width * static_cast<int>(kSheetColumns),
                     height * static_cast<int>(rows), 1);
  writer.add(sheet);
  writer.finish();
  return times;
}

std::string facts_text(const Film& film, const Camera& camera, double rate,
                       const std::vector<double>& seconds) {
  return nlohmann::json{{"schema", "tenfold-film"},
                        {"schema_version", 1},
                        {"task", film.task},
                        {"checkpoint", film.checkpoint.filename().string()},
                        {"step", film.step},
                        {"returns", film.returns},
                        {"lengths", film.lengths},
                        {"frames_per_second", rate},
                        {"width", camera.width()},
                        {"height", camera.height()},
                        {"video", film.video.filename().string()},
                        {"sheet", film.sheet.filename().string()},
                        {"sheet_seconds", seconds},
                        {"created_utc", base::utc_timestamp()}}
             .dump(2) +
         "\n";
}

}  // namespace

void make_film(const FilmOptions& options, env::BatchEnv& env, Camera& camera,
               const std::function<void(std::int64_t number)>& begin, const Play& play,
               Film& film) {
  check_film_name(options.video);
  const fs::path ffmpeg = find_ffmpeg();
  film.video = options.video;
  film.sheet = fs::path(options.video).replace_extension(".png");
  film.facts = fs::path(options.video).replace_extension(".json");
  const double decision = decision_seconds(env.spec());
  const std::size_t stride = stride_of(decision);
  const double rate = 1 / (decision * static_cast<double>(stride));
  FrameWriter writer(ffmpeg, film.video, camera.width(), camera.height(), rate);
  std::vector<double> seconds;
  for (std::int64_t number = 0; number < options.episodes; ++number) {
    begin(number);
    film.returns.push_back(play_episode(env, camera, number, play));
    film.lengths.push_back(static_cast<double>(camera.shots() - 1));
    film_episode(camera, stride, rate, writer);
    if (number > 0) continue;
    for (const std::size_t t : draw_sheet(camera, ffmpeg, film.sheet)) {
      seconds.push_back(static_cast<double>(t) * decision);
    }
  }
  writer.finish();
  base::write_atomic(film.facts, facts_text(film, camera, rate, seconds));
}

}  // namespace tenfold::rl
