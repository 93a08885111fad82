// Atari 2600 games through the Python package ale-py (Bellemare et al., 2013), which brings the
// ROMs: `atari:Pong`.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "env/batch_env.hpp"
#include "env/registry.hpp"
#include "env/settings.hpp"

namespace tenfold::env {

/// Starts with "atari:".
bool is_atari_task(const std::string& task);

/// noops, sticky, life-loss, full-actions, fire, frames.
const std::vector<Setting>& atari_settings();

/// Which of ale-py's games the task names: ROM names ("ms_pacman") and Gymnasium's IDs
/// ("ALE/MsPacman-v5") are the same to it, for capitals, underscores, "ALE/" in front and "-v5"
/// behind do not count. Throws Code::kUsage for others (nearest name, or the list).
std::string atari_game(const std::string& task, std::span<const std::string> games);

/// Preprocessed as by Mnih et al. 2015: an action is held for 4 emulator frames (action_repeat),
/// the last two of them are joined by their maximum, made grey and 84 x 84 (AreaResize); four such
/// pictures are an observation, bytes [84, 84, 4] in frames(), the oldest first. An episode begins
/// with 1 to 30 frames of doing nothing, drawn from its stream, and is cut (truncated) after 108000
/// frames. Rewards are the game's own, added over the frames. No action sticks unless asked for;
/// only the actions that the game knows are offered. life_lost() with the setting life-loss: the
/// decision ends with the life, the episode goes on.
///
/// All is as in Gymnasium's AtariPreprocessing and FrameStackObservation, byte for byte, except
/// that a decision that an end cuts short shows its last frame, or its last two where it had three;
/// Gymnasium's shows older ones.
///
/// Every episode begins with one state of the emulator, kept when the ROM is loaded: seeds make no
/// difference to it, and loading takes 25 times as long as a start. Sticky actions are drawn here
/// and not in the emulator, whose own cannot be brought back. So a saved state, of the emulator's
/// system, four pictures and counts, is exact: after load the same actions give the same bits.
///
/// The spec's name has the ROM's name: "atari:ms_pacman".
///
/// Throws Code::kUsage: no Python or no ale-py (or a build without them), unknown game or setting,
/// options that games do not have; Code::kData: a ROM that is missing or not the right one.
std::unique_ptr<BatchEnv> make_atari_batch(const std::string& task, std::size_t size,
                                           const EnvOptions& options);

}  // namespace tenfold::env
