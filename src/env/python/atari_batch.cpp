#include <pybind11/embed.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "env/actions.hpp"
#include "env/atari_picture.hpp"
#include "env/atari_task.hpp"
#include "env/games/chance.hpp"
#include "env/python/ale.hpp"
#include "env/python/interpreter.hpp"

namespace tenfold::env {

namespace py = pybind11;
using base::Code;
using base::Error;

// What holds Python objects has hidden visibility, as pybind11's classes do.
namespace {

constexpr int kNothing = 0, kFire = 1;  // of ALE's actions
constexpr std::size_t kFrameBytes = kAtariPixels * kAtariStack;
constexpr std::size_t kSpare = 64;  // bytes by which a system's state may grow
constexpr std::size_t kPacked = 6;  // bytes in a double, as a whole number: no bits are a NaN's

struct Options {
  std::int64_t noops;
  double sticky;
  bool life_loss, full_actions, fire;
  std::int64_t frames;
};

// What an episode is beside the emulator's system and the pictures.
struct Episode {
  games::Chance chance;
  games::Sticky sticky;
  std::int64_t decisions;
  std::int32_t lives;
  std::uint32_t running;
};

class AtariBatch final : public BatchEnv {
 public:
  AtariBatch(const std::string& task, std::size_t size, const EnvOptions& options);
  ~AtariBatch() override;
  AtariBatch(const AtariBatch&) = delete;
  AtariBatch& operator=(const AtariBatch&) = delete;

  const Spec& spec() const override { return spec_; }
  std::size_t size() const override { return episodes_.size(); }
  void reset(std::size_t row, base::Stream& stream) override;
  void step(std::span<const float> actions) override;
  std::span<const float> observations() const override { return {}; }
  std::span<const std::uint8_t> frames() const override { return frames_; }
  std::span<const float> rewards() const override { return rewards_; }
  std::span<const std::uint8_t> terminal() const override { return terminal_; }
  std::span<const std::uint8_t> truncated() const override { return truncated_; }
  std::span<const std::uint8_t> life_lost() const override {
    return options_.life_loss ? std::span<const std::uint8_t>(life_lost_)
                              : std::span<const std::uint8_t>{};
  }
  std::uint64_t unstable_count() const override { return 0; }
  std::size_t state_size() const override { return (state_bytes() + kPacked - 1) / kPacked; }
  void save(std::size_t row, std::span<double> state) const override;
  void load(std::size_t row, std::span<const double> state) override;

 private:
  template <class Body>
  void python(const char* doing, std::size_t row, Body body) const;
  void load_game(const EnvOptions& options);
  void describe(const EnvOptions& options, const std::string& version);
  std::size_t state_bytes() const {
    return sizeof(Episode) + sizeof(std::uint64_t) + initial_.size() + kSpare + kFrameBytes;
  }
  std::span<std::uint8_t> frames_of(std::size_t row) {
    return {frames_.data() + row * kFrameBytes, kFrameBytes};
  }
  void press(std::size_t row, int action);
  void see(std::size_t row, std::span<const std::uint8_t> screen);
  void begin(std::size_t row, std::int64_t noops);
  void decide(std::size_t row, int action);

  Spec spec_;
  Options options_{};
  std::vector<std::unique_ptr<Ale>> ales_;
  std::vector<int> choices_;  ///< ALE's numbers
  std::string initial_;       ///< of the system, where every episode begins
  std::vector<std::uint8_t> initial_picture_;
  std::unique_ptr<AreaResize> resize_;
  std::vector<Episode> episodes_;
  std::vector<float> rewards_;
  std::vector<std::uint8_t> frames_, terminal_, truncated_, life_lost_, running_;
  std::vector<std::uint8_t> earlier_, picture_;  ///< a screen; a picture
};

AtariBatch::AtariBatch(const std::string& task, std::size_t size, const EnvOptions& options)
    : episodes_(size),
      rewards_(size),
      frames_(size * kFrameBytes),
      terminal_(size),
      truncated_(size),
      life_lost_(size),
      running_(size),
      picture_(kAtariPixels) {
  spec_.name = task;
  const Settings settings(task, atari_settings(), options.settings);
  options_ = {settings.whole("noops"),          settings.real("sticky"),
              settings.whole("life-loss") != 0, settings.whole("full-actions") != 0,
              settings.whole("fire") != 0,      settings.whole("frames")};
  start_python();
  try {
    python("while it was made", 0, [&] { load_game(options); });
  } catch (...) {
    const py::gil_scoped_acquire lock;
    ales_.clear();
    throw;
  }
}

AtariBatch::~AtariBatch() {
  const py::gil_scoped_acquire lock;
  ales_.clear();
}

// Runs body with Python's lock.
template <class Body>
void AtariBatch::python(const char* doing, std::size_t row, Body body) const {
  const py::gil_scoped_acquire lock;
  try {
    body();
  } catch (const py::error_already_set& error) {
    throw Error(Code::kData, fmt::format("task {} raised in Python, {}, environment {} of this "
                                         "rank: {}",
                                         base::printable(spec_.name), doing, row, error.what()));
  }
}

void AtariBatch::load_game(const EnvOptions& options) {
  const AlePackage package = AlePackage::import(spec_.name);
  const std::string game = atari_game(spec_.name, package.games());
  const std::string rom = package.rom(spec_.name, game);
  spec_.name = "atari:" + game;
  for (std::size_t row = 0; row < size(); ++row) {
    ales_.push_back(std::make_unique<Ale>(package, rom, options_.frames));
  }
  Ale& first = *ales_.front();
  choices_ = options_.full_actions ? first.legal_actions() : first.minimal_actions();
  initial_ = first.state();
  resize_ = std::make_unique<AreaResize>(first.height(), first.width());
  initial_picture_.resize(kAtariPixels);
  (*resize_)(first.screen(), initial_picture_);
  earlier_.resize(resize_->screen_size());
  describe(options, package.version());
}

void AtariBatch::describe(const EnvOptions& options, const std::string& version) {
  spec_.summary = "a game of the Atari 2600";
  spec_.source = "ale-py " + version;
  spec_.action_size = 1;
  spec_.choices = static_cast<std::int64_t>(choices_.size());
  spec_.picture = {kAtariSide, kAtariSide, kAtariStack};
  spec_.action_repeat = options.action_repeat > 0 ? options.action_repeat : 4;
  spec_.horizon = options.horizon > 0
                      ? options.horizon
                      : (options_.frames + spec_.action_repeat - 1) / spec_.action_repeat;
  spec_.control_dt = 1.0 / 60;
  spec_.can_end = true;
  spec_.most_reward = std::numeric_limits<double>::infinity();
  spec_.least_reward = -spec_.most_reward;
}

void AtariBatch::see(std::size_t row, std::span<const std::uint8_t> screen) {
  (*resize_)(screen, picture_);
  push_picture(frames_of(row), picture_);
}

// One frame at the start of an episode, where no reward counts.
void AtariBatch::press(std::size_t row, int action) {
  Ale& ale = *ales_[row];
  ale.act(action);
  if (ale.over()) ale.restore(initial_);
}

void AtariBatch::begin(std::size_t row, std::int64_t noops) {
  Ale& ale = *ales_[row];
  ale.restore(initial_);
  const bool fire = options_.fire && std::count(choices_.begin(), choices_.end(), kFire) > 0;
  for (std::int64_t i = 0; i < noops; ++i) press(row, kNothing);
  for (std::int64_t i = 0; fire && i < spec_.action_repeat; ++i) press(row, kFire);
  if (noops > 0 || fire) {
    (*resize_)(ale.screen(), picture_);
    fill_pictures(frames_of(row), picture_);
  } else {
    fill_pictures(frames_of(row), initial_picture_);
  }
  episodes_[row].lives = ale.lives();
}

void AtariBatch::reset(std::size_t row, base::Stream& stream) {
  const auto most = static_cast<std::uint64_t>(options_.noops);
  const auto noops = most > 0 ? 1 + static_cast<std::int64_t>(stream.below(most)) : 0;
  Episode& episode = episodes_[row];
  episode = {};
  episode.chance.reset(stream);
  python("in reset", row, [&] { begin(row, noops); });
  episode.running = running_[row] = 1;
  rewards_[row] = 0;
  terminal_[row] = truncated_[row] = life_lost_[row] = 0;
}

void AtariBatch::decide(std::size_t row, int action) {
  Ale& ale = *ales_[row];
  Episode& episode = episodes_[row];
  base::Stream draws = episode.chance.draws();
  bool over = false, lost = false, two = false;
  int reward = 0;
  for (std::int64_t left = spec_.action_repeat; left > 0 && !over && !lost; --left) {
    reward += ale.act(episode.sticky.choose(options_.sticky, action, draws));
    over = ale.over();
    if (options_.life_loss) {
      const int lives = ale.lives();
      lost = lives < episode.lives;
      episode.lives = lives;
    }
    if (left != 2 || over || lost) continue;
    std::ranges::copy(ale.screen(), earlier_.begin());
    two = true;
  }
  const std::span<const std::uint8_t> screen = ale.screen();
  if (two) join_screens(earlier_, screen);
  see(row, two ? earlier_ : screen);
  ++episode.decisions;
  rewards_[row] = static_cast<float>(reward);
  const bool cut = over && ale.truncated();
  terminal_[row] = over && !cut;
  truncated_[row] = terminal_[row] == 0 && (cut || episode.decisions >= spec_.horizon);
  life_lost_[row] = lost && !over;
  episode.running = running_[row] = terminal_[row] == 0 && truncated_[row] == 0;
}

void AtariBatch::step(std::span<const float> actions) {
  check_actions(spec_, actions, running_);
  const py::gil_scoped_acquire lock;
  for (std::size_t row = 0; row < size(); ++row) {
    python("in step", row, [&] { decide(row, choices_[static_cast<std::size_t>(actions[row])]); });
  }
}

void AtariBatch::save(std::size_t row, std::span<double> state) const {
  base::require(state.size() == state_size(), "AtariBatch::save: wrong state size");
  std::string system;
  python("while its state was saved", row, [&] { system = ales_[row]->state(); });
  base::require(system.size() <= initial_.size() + kSpare, "AtariBatch: its system's state grew");
  std::vector<std::uint8_t> bytes(state.size() * kPacked);
  std::uint8_t* to = bytes.data();
  const auto put = [&to](const void* from, std::size_t count) {
    std::memcpy(to, from, count);
    to += count;
  };
  const std::uint64_t length = system.size();
  put(&episodes_[row], sizeof(Episode));
  put(&length, sizeof(length));
  put(frames_.data() + row * kFrameBytes, kFrameBytes);
  put(system.data(), system.size());
  for (std::size_t i = 0; i < state.size(); ++i) {
    std::uint64_t number = 0;
    for (std::size_t k = 0; k < kPacked; ++k) number = number << 8U | bytes[i * kPacked + k];
    state[i] = static_cast<double>(number);
  }
}

void AtariBatch::load(std::size_t row, std::span<const double> state) {
  base::require(state.size() == state_size(), "AtariBatch::load: wrong state size");
  std::vector<std::uint8_t> bytes(state.size() * kPacked);
  for (std::size_t i = 0; i < state.size(); ++i) {
    auto number = static_cast<std::uint64_t>(state[i]);
    for (std::size_t k = kPacked; k-- > 0; number >>= 8U) {
      bytes[i * kPacked + k] = static_cast<std::uint8_t>(number & 0xffU);
    }
  }
  const std::uint8_t* from = bytes.data();
  const auto take = [&from](void* to, std::size_t count) {
    std::memcpy(to, from, count);
    from += count;
  };
  std::uint64_t length = 0;
  take(&episodes_[row], sizeof(Episode));
  take(&length, sizeof(length));
  take(frames_of(row).data(), kFrameBytes);
  base::require(length <= initial_.size() + kSpare, "AtariBatch::load: not a state of this game");
  const std::string system(reinterpret_cast<const char*>(from), length);
  python("while its state was loaded", row, [&] { ales_[row]->restore(system); });
  running_[row] = static_cast<std::uint8_t>(episodes_[row].running);
  rewards_[row] = 0;
  terminal_[row] = truncated_[row] = life_lost_[row] = 0;
}

}  // namespace

std::unique_ptr<BatchEnv> make_atari_batch(const std::string& task, std::size_t size,
                                           const EnvOptions& options) {
  const auto refuse = [&](const char* why) {
    return Error(Code::kUsage, fmt::format("task {}: {}", base::printable(task), why),
                 "Leave the option out");
  };
  if (!options.terminate_on_fall) {
    throw refuse("a game decides itself when it ends, --terminate-on-fall false cannot");
  }
  if (!options.mjcf_folder.empty()) throw refuse("--mjcf-dir is for our own tasks");
  return std::make_unique<AtariBatch>(task, size, options);
}

}  // namespace tenfold::env
