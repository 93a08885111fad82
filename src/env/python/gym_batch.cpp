#include <pybind11/embed.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "env/actions.hpp"
#include "env/gym_task.hpp"
#include "env/mujoco_guard.hpp"
#include "env/python/interpreter.hpp"
#include "gym_bridge_text.hpp"

namespace tenfold::env {

namespace py = pybind11;
using base::Code;
using base::Error;

// What holds Python objects has hidden visibility, as pybind11's classes do.
namespace {

constexpr std::size_t kHeader = 4;  // of a state: seed, decisions, two halves of the digest

// gym_bridge.py as a module, made once. Needs the lock.
py::object bridge_module() {
  py::dict modules = py::module_::import("sys").attr("modules");
  constexpr const char* kName = "tenfold_gym_bridge";
  if (modules.contains(kName)) return modules[kName];
  py::object module = py::module_::import("types").attr("ModuleType")(kName);
  module.attr("__file__") = "gym_bridge.py";
  const py::object code =
      py::module_::import("builtins").attr("compile")(kGymBridge, "gym_bridge.py", "exec");
  py::module_::import("builtins").attr("exec")(code, module.attr("__dict__"));
  module.attr("route_warnings")(
      py::cpp_function([](const std::string& text) { base::log_warning("Python: {}", text); }));
  modules[kName] = module;
  return module;
}

// A Python exception as ours. Needs the lock.
Error translated(const py::error_already_set& error, const std::string& task,
                 const std::string& where) {
  const py::object module = bridge_module();
  if (error.matches(module.attr("Refusal"))) {
    const py::tuple parts = error.value().attr("args");
    return {static_cast<Code>(parts[0].cast<int>()), parts[1].cast<std::string>(),
            parts[2].cast<std::string>()};
  }
  if (error.trace()) PyException_SetTraceback(error.value().ptr(), error.trace().ptr());
  const py::tuple text = module.attr("describe")(error.value());
  return {Code::kData,
          fmt::format("task {} raised {} ({})", task, text[0].cast<std::string>(), where),
          "Python says:\n" + text[1].cast<std::string>()};
}

template <class T>
py::memoryview view(std::vector<T>& values, std::size_t rows, std::size_t columns) {
  const auto r = static_cast<py::ssize_t>(rows), c = static_cast<py::ssize_t>(columns);
  constexpr auto kSize = static_cast<py::ssize_t>(sizeof(T));
  return columns == 0 ? py::memoryview::from_buffer(values.data(), {r}, {kSize})
                      : py::memoryview::from_buffer(values.data(), {r, c}, {c * kSize, kSize});
}

class GymBatch final : public BatchEnv {
 public:
  GymBatch(const std::string& task, std::size_t size, const EnvOptions& options);
  ~GymBatch() override;
  GymBatch(const GymBatch&) = delete;
  GymBatch& operator=(const GymBatch&) = delete;

  const Spec& spec() const override { return spec_; }
  std::size_t size() const override { return seeds_.size(); }
  void reset(std::size_t row, base::Stream& stream) override;
  void step(std::span<const float> actions) override;
  std::span<const float> observations() const override { return observations_; }
  std::span<const float> rewards() const override { return rewards_; }
  std::span<const std::uint8_t> terminal() const override { return terminal_; }
  std::span<const std::uint8_t> truncated() const override { return truncated_; }
  std::uint64_t unstable_count() const override { return unstable_; }
  std::size_t state_size() const override { return kHeader + record_; }
  void save(std::size_t row, std::span<double> state) const override;
  void load(std::size_t row, std::span<const double> state) override;
  bool restored(std::size_t row) const override { return restored_[row] != 0; }
  bool may_raise() const override { return true; }

 private:
  template <class Body>
  void python(const char* doing, Body body);
  std::string place(const char* doing) const;
  void make_bridge(const EnvOptions& options);
  void allocate();
  void begin(std::size_t row, std::uint32_t seed);
  void take_actions(std::span<const float> actions);
  void account(std::size_t row);
  void fold(std::size_t row);
  bool finite(std::size_t row) const;

  Spec spec_;
  py::object bridge_;
  std::size_t record_ = 0;  ///< doubles that hold an episode's actions; 0: episodes too long
  std::vector<std::uint32_t> seeds_;
  std::vector<std::int64_t> decisions_;
  std::vector<std::uint64_t> digests_;  ///< of all that the episode showed so far
  std::vector<float> taken_;            ///< [E, horizon, A], the present episodes' actions
  std::vector<float> actions_, observations_, last_observations_, rewards_;
  std::vector<double> raw_rewards_;
  std::vector<std::uint8_t> terminal_, truncated_, running_, restored_;
  std::uint64_t unstable_ = 0;
};

GymBatch::GymBatch(const std::string& task, std::size_t size, const EnvOptions& options)
    : seeds_(size),
      decisions_(size),
      digests_(size),
      rewards_(size),
      raw_rewards_(size),
      terminal_(size),
      truncated_(size),
      running_(size),
      restored_(size, 1) {
  spec_.name = task;
  spec_.action_repeat = std::max<std::int64_t>(1, options.action_repeat);
  start_python();
  route_mujoco_messages();  // a task of Python's MuJoCo runs in the library that we are linked to
  try {
    python("while it was made", [&] { make_bridge(options); });
  } catch (...) {
    const py::gil_scoped_acquire lock;
    bridge_ = py::object();
    throw;
  }
}

GymBatch::~GymBatch() {
  const py::gil_scoped_acquire lock;
  try {
    bridge_.attr("close")();
  } catch (const py::error_already_set& error) {
    base::log_warning("task {} raised while it was closed: {}", spec_.name, error.what());
  }
  bridge_ = py::object();
}

// Runs body with Python's lock; what Python raises inside becomes an Error.
template <class Body>
void GymBatch::python(const char* doing, Body body) {
  const py::gil_scoped_acquire lock;
  try {
    body();
  } catch (const py::error_already_set& error) {
    throw translated(error, spec_.name, place(doing));
  }
}

std::string GymBatch::place(const char* doing) const {
  if (!bridge_) return doing;
  const auto row = bridge_.attr("row").cast<std::size_t>();
  return fmt::format("{}, environment {} of this rank, after {} decisions of its episode", doing,
                     row, decisions_[row]);
}

void GymBatch::make_bridge(const EnvOptions& options) {
  const std::string name = spec_.name.substr(4);
  bridge_ = bridge_module().attr("Bridge")(python_program(), name, size(), options.horizon,
                                           spec_.action_repeat);
  spec_.summary = "a task of Python's Gymnasium";
  spec_.source = "gymnasium " + bridge_.attr("version").cast<std::string>();
  spec_.observation_size = bridge_.attr("observation_size").cast<std::size_t>();
  spec_.action_size = bridge_.attr("action_size").cast<std::size_t>();
  spec_.horizon = bridge_.attr("horizon").cast<std::int64_t>();
  spec_.can_end = true;
  spec_.most_reward = std::numeric_limits<double>::infinity();
  spec_.least_reward = -spec_.most_reward;
  spec_.control_dt = bridge_.attr("seconds").cast<double>();
  allocate();
  bridge_.attr("bind")(view(actions_, size(), spec_.action_size),
                       view(observations_, size(), spec_.observation_size),
                       view(raw_rewards_, size(), 0), view(terminal_, size(), 0),
                       view(truncated_, size(), 0));
}

void GymBatch::allocate() {
  record_ = bridge_.attr("record").cast<std::size_t>();
  taken_.resize(size() * record_);
  actions_.resize(size() * spec_.action_size);
  observations_.resize(size() * spec_.observation_size);
  last_observations_ = observations_;
}

bool GymBatch::finite(std::size_t row) const {
  const float* observation = observations_.data() + row * spec_.observation_size;
  return std::isfinite(static_cast<float>(raw_rewards_[row])) &&
         std::all_of(observation, observation + spec_.observation_size,
                     [](float each) { return std::isfinite(each); });
}

void GymBatch::fold(std::size_t row) {
  const std::span<const float> observation(observations_.data() + row * spec_.observation_size,
                                           spec_.observation_size);
  const std::array<float, 3> rest{rewards_[row], static_cast<float>(terminal_[row]),
                                  static_cast<float>(truncated_[row])};
  digests_[row] = base::xxh64(std::as_bytes(observation), digests_[row]);
  digests_[row] = base::xxh64(std::as_bytes(std::span(rest)), digests_[row]);
}

void GymBatch::begin(std::size_t row, std::uint32_t seed) {
  python("in reset", [&] { bridge_.attr("reset")(row, seed); });
  raw_rewards_[row] = 0;
  if (!finite(row)) {
    throw Error(Code::kData,
                fmt::format("task {}: the first observation of an episode (seed {}) is not finite",
                            spec_.name, seed));
  }
  seeds_[row] = seed;
  decisions_[row] = 0;
  digests_[row] = 0;
  rewards_[row] = 0;
  terminal_[row] = truncated_[row] = 0;
  running_[row] = restored_[row] = 1;
  fold(row);
}

void GymBatch::reset(std::size_t row, base::Stream& stream) {
  begin(row, stream.bits() >> 1U);  // not every task takes a seed of more than 31 bits
}

void GymBatch::take_actions(std::span<const float> actions) {
  check_actions(spec_, actions, running_);
  std::transform(actions.begin(), actions.end(), actions_.begin(),
                 [](float each) { return std::clamp(each, -1.0F, 1.0F); });
}

// After Python has stepped a row.
void GymBatch::account(std::size_t row) {
  const std::size_t width = spec_.observation_size;
  const bool stable = finite(row);
  if (!stable) {
    std::copy_n(last_observations_.data() + row * width, width, observations_.data() + row * width);
    ++unstable_;
    terminal_[row] = 0;
  }
  rewards_[row] = stable ? static_cast<float>(raw_rewards_[row]) : 0.0F;
  if (record_ > 0) {
    std::copy_n(actions_.data() + row * spec_.action_size, spec_.action_size,
                taken_.data() + row * record_ +
                    static_cast<std::size_t>(decisions_[row]) * spec_.action_size);
  }
  ++decisions_[row];
  truncated_[row] =
      terminal_[row] == 0 && (!stable || truncated_[row] != 0 || decisions_[row] >= spec_.horizon);
  running_[row] = terminal_[row] == 0 && truncated_[row] == 0;
  fold(row);
}

void GymBatch::step(std::span<const float> actions) {
  take_actions(actions);
  std::copy(observations_.begin(), observations_.end(), last_observations_.begin());
  python("in step", [this] { bridge_.attr("step")(); });
  for (std::size_t row = 0; row < size(); ++row) account(row);
}

void GymBatch::save(std::size_t row, std::span<double> state) const {
  base::require(state.size() == state_size(), "GymBatch::save: wrong state size");
  std::fill(state.begin(), state.end(), 0.0);
  state[0] = seeds_[row];
  state[1] = static_cast<double>(decisions_[row]);
  state[2] = static_cast<double>(digests_[row] >> 32U);
  state[3] = static_cast<double>(digests_[row] & 0xffffffffU);
  if (record_ == 0) return;
  const auto used = static_cast<std::size_t>(decisions_[row]) * spec_.action_size;
  std::copy_n(taken_.data() + row * record_, used, state.data() + kHeader);
}

void GymBatch::load(std::size_t row, std::span<const double> state) {
  base::require(state.size() == state_size(), "GymBatch::load: wrong state size");
  begin(row, static_cast<std::uint32_t>(state[0]));
  const auto decisions = static_cast<std::int64_t>(state[1]);
  const std::size_t width = spec_.action_size, observed = spec_.observation_size;
  while (record_ > 0 && running_[row] != 0 && decisions_[row] < decisions) {
    const double* action =
        state.data() + kHeader + static_cast<std::size_t>(decisions_[row]) * width;
    std::transform(action, action + width, actions_.data() + row * width,
                   [](double each) { return static_cast<float>(each); });
    std::copy_n(observations_.data() + row * observed, observed,
                last_observations_.data() + row * observed);
    python("in step, while its episode was played again", [&] { bridge_.attr("step_row")(row); });
    account(row);
  }
  const auto digest =
      static_cast<std::uint64_t>(state[2]) << 32U | static_cast<std::uint64_t>(state[3]);
  restored_[row] = decisions_[row] == decisions && digests_[row] == digest;
  if (restored_[row] == 0) running_[row] = 0;
}

}  // namespace

bool is_gym_task(const std::string& task) {
  return task.rfind("gym:", 0) == 0;
}

std::unique_ptr<BatchEnv> make_gym_batch(const std::string& task, std::size_t size,
                                         const EnvOptions& options) {
  const auto refuse = [&](const char* option) {
    return Error(Code::kUsage, fmt::format("task {}: {}", base::printable(task), option),
                 "Leave the option out");
  };
  if (!options.terminate_on_fall) {
    throw refuse("a Gymnasium task decides itself when it ends, --terminate-on-fall false cannot");
  }
  if (!options.mjcf_folder.empty()) throw refuse("--mjcf-dir is for our own tasks");
  return std::make_unique<GymBatch>(task, size, options);
}

}  // namespace tenfold::env
