// A user's own MuJoCo model as a task: `mjcf:FILE`, with a formula for the reward.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "env/batch_env.hpp"
#include "env/registry.hpp"

namespace tenfold::env {

/// Starts with "mjcf:".
bool is_mjcf_task(const std::string& task);
/// "mjcf:robot.xml" to "robot.xml".
std::string mjcf_file(const std::string& task);

/// Environments of the model in a file. An action is every motor's control, scaled from [-1, 1] to
/// its ctrlrange. An observation holds, of each joint in order: sin and cos of a hinge, the place
/// of a slide, all of a ball or free joint; then all velocities, then all sensors. Episodes start
/// from the model's first keyframe, else from its reference pose; slides and hinges and their
/// velocities are moved by uniform noise within OwnTask::start_noise. Rewards and ends are
/// OwnTask's formulas.
///
/// Throws Code::kData for a model that MuJoCo refuses (its message with file and line) or that has
/// no motors, or a motor without ctrlrange; Code::kUsage without a reward, for formulas that do not
/// read (see Expression), and when control_dt is no multiple of the model's timestep.
std::unique_ptr<BatchEnv> make_mjcf_batch(const std::string& task, std::size_t size,
                                          const EnvOptions& options);

}  // namespace tenfold::env
