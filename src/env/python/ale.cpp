#include "env/python/ale.hpp"

#include <pybind11/stl.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "env/python/interpreter.hpp"

namespace tenfold::env {

namespace py = pybind11;
using base::Code;
using base::Error;

namespace {

// "FileNotFoundError: [Errno 2] ..."
std::string last_line(const py::error_already_set& error) {
  const auto name = error.type().attr("__name__").cast<std::string>();
  return fmt::format("{}: {}", name, py::str(error.value()).cast<std::string>());
}

}  // namespace

AlePackage AlePackage::import(const std::string& task) {
  try {
    py::module_::import("ale_py.roms");
    return {py::module_::import("ale_py")};
  } catch (const py::error_already_set& error) {
    throw Error(Code::kUsage,
                fmt::format("task {}: Atari games need the Python package ale-py, and {} cannot "
                            "import it ({})",
                            base::printable(task), python_program(), last_line(error)),
                fmt::format("Run {} -m pip install ale-py, or set TENFOLD_PYTHON to a Python that "
                            "has it",
                            python_program()));
  }
}

std::vector<std::string> AlePackage::games() const {
  return module.attr("roms").attr("get_all_rom_ids")().cast<std::vector<std::string>>();
}

std::string AlePackage::rom(const std::string& task, const std::string& game) const {
  py::object path;
  try {
    path = module.attr("roms").attr("get_rom_path")(game);
  } catch (const py::error_already_set& error) {
    throw Error(
        Code::kData,
        fmt::format("task {}: the ROM of {} cannot be used ({})", base::printable(task), game,
                    last_line(error)),
        fmt::format("Run {} -m pip install --force-reinstall ale-py, which brings the ROMs; "
                    "ALE_ROMS_DIR must not be set, or name a folder that has them",
                    python_program()));
  }
  // The emulator would end this process.
  if (module.attr("ALEInterface").attr("isSupportedROM")(path).is_none()) {
    throw Error(Code::kUsage,
                fmt::format("task {}: {} needs more than one player", base::printable(task), game),
                "Choose another game");
  }
  return py::str(path).cast<std::string>();
}

std::string AlePackage::version() const {
  return module.attr("__version__").cast<std::string>();
}

Ale::Ale(const AlePackage& package, const std::string& rom, std::int64_t frames)
    : state_type_(package.module.attr("ALEState")) {
  const py::object type = package.module.attr("ALEInterface");
  const py::object errors_only = package.module.attr("LoggerMode").attr("Error");
  type.attr("setLoggerMode")(errors_only);
  ale_ = type();
  ale_.attr("setFloat")("repeat_action_probability", 0.0);
  ale_.attr("setInt")("random_seed", 0);
  ale_.attr("setInt")("max_num_frames_per_episode", frames);
  ale_.attr("loadROM")(rom);
  ale_.attr("reset_game")();
  act_ = ale_.attr("act");
  over_ = ale_.attr("game_over");
  truncated_ = ale_.attr("game_truncated");
  lives_ = ale_.attr("lives");
  screen_ = ale_.attr("getScreenGrayscale");
  clone_ = ale_.attr("cloneState");
  restore_ = ale_.attr("restoreState");
  const auto numbers = [&](const char* list) {
    std::vector<int> found;
    for (const py::handle each : ale_.attr(list)()) {
      found.push_back(py::int_(each.attr("value")).cast<int>());
      actions_.resize(std::max(actions_.size(), static_cast<std::size_t>(found.back()) + 1));
      actions_[static_cast<std::size_t>(found.back())] = py::reinterpret_borrow<py::object>(each);
    }
    return found;
  };
  minimal_ = numbers("getMinimalActionSet");
  legal_ = numbers("getLegalActionSet");
  const auto size = ale_.attr("getScreenDims")().cast<std::pair<std::size_t, std::size_t>>();
  height_ = size.first;
  width_ = size.second;
  pixels_.resize(height_ * width_);
  const auto rows = static_cast<py::ssize_t>(height_), columns = static_cast<py::ssize_t>(width_);
  array_ = py::module_::import("numpy").attr("asarray")(
      py::memoryview::from_buffer(pixels_.data(), {rows, columns}, {columns, py::ssize_t{1}}));
}

std::span<const std::uint8_t> Ale::screen() {
  screen_(array_);
  return pixels_;
}

std::string Ale::state() const {
  return clone_().attr("serialize")().cast<std::string>();
}

void Ale::restore(const std::string& state) {
  restore_(state_type_(py::bytes(state)));
}

}  // namespace tenfold::env
