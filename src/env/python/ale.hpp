// One emulator of ale-py, driven from C++: no Python code runs between its calls.
#pragma once

#include <pybind11/embed.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tenfold::env {

/// ale-py as this process's Python has it. Everything here needs Python's lock.
struct __attribute__((visibility("hidden"))) AlePackage {
  /// Throws Code::kUsage when it cannot be imported, naming the package and what to run.
  static AlePackage import(const std::string& task);
  std::vector<std::string> games() const;
  /// The file of a game's ROM. Throws Code::kData when it is missing or another one's,
  /// Code::kUsage for a game that one player cannot play.
  std::string rom(const std::string& task, const std::string& game) const;
  std::string version() const;

  pybind11::object module;
};

/// Also needs the lock, to be destroyed too. Python's errors pass through: none is expected.
class __attribute__((visibility("hidden"))) Ale {
 public:
  /// A game as it is when its ROM has been loaded. frames: after how many an episode is cut.
  Ale(const AlePackage& package, const std::string& rom, std::int64_t frames);
  Ale(const Ale&) = delete;
  Ale& operator=(const Ale&) = delete;

  std::size_t height() const { return height_; }
  std::size_t width() const { return width_; }
  /// By number in ALE's own list: 0 does nothing, 1 is FIRE.
  std::vector<int> minimal_actions() const { return minimal_; }
  std::vector<int> legal_actions() const { return legal_; }

  /// One frame; returns its reward.
  int act(int action) { return act_(actions_[static_cast<std::size_t>(action)]).cast<int>(); }
  bool over() const { return over_().cast<bool>(); }            ///< by the game or by frames
  bool truncated() const { return truncated_().cast<bool>(); }  ///< by frames
  int lives() const { return lives_().cast<int>(); }
  /// The present screen in grey, [height, width] bytes. Restoring does not draw it anew.
  std::span<const std::uint8_t> screen();

  /// The system, without the emulator's random numbers: nothing here draws any.
  std::string state() const;
  void restore(const std::string& state);

 private:
  pybind11::object state_type_, ale_;
  pybind11::object act_, over_, truncated_, lives_, screen_, clone_, restore_;  ///< its methods
  std::vector<pybind11::object> actions_;                                       ///< by number
  std::vector<int> minimal_, legal_;
  std::size_t height_ = 0, width_ = 0;
  std::vector<std::uint8_t> pixels_;
  pybind11::object array_;  ///< NumPy's view of pixels_
};

}  // namespace tenfold::env
