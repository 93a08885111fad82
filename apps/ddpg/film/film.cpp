#include "ddpg/film/film.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "ddpg/film/frame_writer.hpp"
#include "ddpg/film/policy_file.hpp"
#include "ddpg/networks.hpp"
#include "ddpg/observer.hpp"
#include "env/gym_task.hpp"
#include "env/mujoco_batch.hpp"
#include "env/registry.hpp"
#include "env/render/renderer.hpp"

namespace tenfold::ddpg {

namespace fs = std::filesystem;
using base::Code;
using base::Error;

namespace {

constexpr double kMostFrames = 60;  // a second
constexpr double kPause = 0.5;      // seconds for which an episode's last picture stays
constexpr std::size_t kSheetColumns = 4, kSheetPictures = 8;
constexpr int kGap = 2;  // pixels between a sheet's pictures

void refuse_without_pictures(const Config& config) {
  if (config.planner != "none") {
    throw Error(Code::kUsage, "the run played a planner: it has no policy to film",
                "Name a run that learnt");
  }
  if (env::is_gym_task(config.task) || env::model_file(config.task).empty()) {
    throw Error(Code::kUsage,
                fmt::format("{} cannot be filmed: only tasks that MuJoCo simulates here have "
                            "pictures",
                            base::printable(config.task)),
                "See --list-tasks of ddpg");
  }
}

const env::MujocoBatch& simulation_of(const env::BatchEnv& envs) {
  const auto* const pixels = dynamic_cast<const env::PixelBatch*>(&envs);
  return pixels == nullptr ? dynamic_cast<const env::MujocoBatch&>(envs) : pixels->simulation();
}

// One environment of the run's task, and its picture.
class Stage {
 public:
  explicit Stage(const Config& config)
      : observer_(config, 1, 0),
        simulated_(simulation_of(observer_.envs())),
        renderer_(simulated_.model(), "", 0),
        view_(renderer_.view_size()) {}

  env::BatchEnv& env() { return observer_.envs(); }
  const Observer& observer() const { return observer_; }
  std::vector<double> view() {
    renderer_.view(simulated_.data(0), view_);
    return view_;
  }
  std::vector<std::uint8_t> draw(const std::vector<double>& view, int width, int height) {
    std::vector<std::uint8_t> rgb(3 * static_cast<std::size_t>(width) *
                                  static_cast<std::size_t>(height));
    renderer_.draw(view, width, height, rgb);
    return rgb;
  }

 private:
  Observer observer_;
  const env::MujocoBatch& simulated_;
  env::Renderer renderer_;
  std::vector<double> view_;
};

// What an episode looked like: a view before its first decision and after each.
struct Episode {
  std::vector<std::vector<double>> views;
  double episode_return = 0;
  double length() const { return static_cast<double>(views.size() - 1); }
};

class Player {
 public:
  Player(const nn::Network& mu, const StoredPolicy& policy)
      : policy_(policy), mu_(mu.make_pass(1, 1, at::kCPU, nn::Gradients::kNone)) {}

  Episode play(Stage& stage, base::Stream& start) {
    env::BatchEnv& env = stage.env();
    env.reset(0, start);
    Episode episode{{stage.view()}, 0};
    do {
      mu_->input()[0].copy_(stage.observer().seen());
      const at::Tensor& action = mu_->forward(policy_.parameters, policy_.buffers, nn::Mode::kEval);
      env.step({action.data_ptr<float>(), env.spec().action_size});
      episode.views.push_back(stage.view());
      episode.episode_return += env.rewards()[0];
    } while (env.terminal()[0] == 0 && env.truncated()[0] == 0);
    return episode;
  }

 private:
  const StoredPolicy& policy_;
  std::unique_ptr<nn::NetworkPass> mu_;
};

double decision_seconds(const env::Spec& spec) {
  return spec.control_dt * static_cast<double>(spec.action_repeat);
}

// Decisions from one picture to the next: all, unless that were more than kMostFrames a second.
std::size_t stride_of(const env::Spec& spec) {
  const double wanted = 1 / (kMostFrames * decision_seconds(spec));
  return static_cast<std::size_t>(std::max(1.0, std::ceil(wanted - 1e-9)));
}

void film_episode(const Episode& episode, Stage& stage, const FilmOptions& options,
                  std::size_t stride, double rate, FrameWriter& writer) {
  std::vector<std::uint8_t> rgb;
  for (std::size_t t = 0; t < episode.views.size(); t += stride) {
    rgb = stage.draw(episode.views[t], options.width, options.height);
    writer.add(rgb);
  }
  const auto still = static_cast<int>(std::lround(kPause * rate));
  for (int k = 0; k < still; ++k) writer.add(rgb);
}

// Of pictures at equal distances of time, the first and the last included; row by row. Returns the
// decisions that they follow.
std::vector<std::size_t> draw_sheet(const Episode& episode, Stage& stage,
                                    const FilmOptions& options, const fs::path& ffmpeg,
                                    const fs::path& path) {
  const int width = options.width / 2, height = options.height / 2;
  const std::size_t rows = kSheetPictures / kSheetColumns;
  const std::size_t line = 3 * static_cast<std::size_t>(width);
  std::vector<std::uint8_t> sheet(kSheetPictures * line * static_cast<std::size_t>(height), 255);
  std::vector<std::size_t> times;
  for (std::size_t k = 0; k < kSheetPictures; ++k) {
    times.push_back(k * (episode.views.size() - 1) / (kSheetPictures - 1));
    const int inner_width = width - kGap, inner_height = height - kGap;
    const std::vector<std::uint8_t> rgb =
        stage.draw(episode.views[times.back()], inner_width, inner_height);
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

std::string facts_text(const Film& film, const StoredPolicy& policy, const FilmOptions& options,
                       double rate, const std::vector<double>& seconds) {
  return nlohmann::json{{"schema", "tenfold-film"},
                        {"schema_version", 1},
                        {"task", film.task},
                        {"checkpoint", policy.checkpoint.filename().string()},
                        {"step", film.step},
                        {"returns", film.returns},
                        {"lengths", film.lengths},
                        {"frames_per_second", rate},
                        {"width", options.width},
                        {"height", options.height},
                        {"video", film.video.filename().string()},
                        {"sheet", film.sheet.filename().string()},
                        {"sheet_seconds", seconds},
                        {"created_utc", base::utc_timestamp()}}
             .dump(2) +
         "\n";
}

}  // namespace

Film make_film(const FilmOptions& options) {
  check_film_name(options.video);
  Config config;
  std::uint32_t seed = 0;
  read_config(options.run, config, seed);
  refuse_without_pictures(config);
  const fs::path ffmpeg = find_ffmpeg();
  Stage stage(config);
  const env::Spec& spec = stage.env().spec();
  Film film;
  const std::unique_ptr<nn::Network> mu =
      make_actor(config, stage.observer().shape(), static_cast<std::int64_t>(spec.action_size));
  const StoredPolicy policy = load_policy(options.run, *mu, &film.warnings);
  film.task = config.task;
  film.step = policy.step;
  film.video = options.video;
  film.sheet = fs::path(options.video).replace_extension(".png");
  film.facts = fs::path(options.video).replace_extension(".json");

  Player player(*mu, policy);
  const std::size_t stride = stride_of(spec);
  const double rate = 1 / (decision_seconds(spec) * static_cast<double>(stride));
  FrameWriter writer(ffmpeg, film.video, options.width, options.height, rate);
  std::vector<double> seconds;
  for (std::int64_t number = 0; number < options.episodes; ++number) {
    base::Stream start(seed, base::Purpose::kEvaluationReset, static_cast<std::uint32_t>(number),
                       std::max<std::uint64_t>(1, policy.evaluations));
    const Episode episode = player.play(stage, start);
    film.returns.push_back(episode.episode_return);
    film.lengths.push_back(episode.length());
    film_episode(episode, stage, options, stride, rate, writer);
    if (number > 0) continue;
    for (const std::size_t t : draw_sheet(episode, stage, options, ffmpeg, film.sheet)) {
      seconds.push_back(static_cast<double>(t) * decision_seconds(spec));
    }
  }
  writer.finish();
  base::write_atomic(film.facts, facts_text(film, policy, options, rate, seconds));
  return film;
}

}  // namespace tenfold::ddpg
