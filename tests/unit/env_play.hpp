// Playing episodes in tests.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "env/registry.hpp"

namespace tenfold::env {

inline void start_all(BatchEnv& env, std::uint32_t seed) {
  for (std::size_t row = 0; row < env.size(); ++row) {
    base::Stream stream(seed, base::Purpose::kEnvReset, static_cast<std::uint32_t>(row), 0);
    env.reset(row, stream);
  }
}

/// Uniform actions; row r gets the same ones whatever the batch's size.
inline std::vector<float> random_actions(const BatchEnv& env, std::uint32_t seed,
                                         std::uint64_t decision) {
  std::vector<float> actions;
  for (std::size_t row = 0; row < env.size(); ++row) {
    base::Stream stream(seed, base::Purpose::kWarmUpAction, static_cast<std::uint32_t>(row),
                        decision);
    for (std::size_t i = 0; i < env.spec().action_size; ++i) {
      const auto choices = static_cast<std::uint64_t>(env.spec().choices);
      actions.push_back(choices > 0 ? static_cast<float>(stream.below(choices))
                                    : static_cast<float>(stream.uniform(-1, 1)));
    }
  }
  return actions;
}

inline std::vector<float> observation_of(const BatchEnv& env, std::size_t row) {
  const std::size_t width = env.spec().observation_size;
  const auto all = env.observations().subspan(row * width, width);
  return {all.begin(), all.end()};
}

inline std::vector<double> state_of(const BatchEnv& env, std::size_t row) {
  std::vector<double> state(env.state_size());
  env.save(row, state);
  return state;
}

inline std::vector<std::string> game_names() {
  std::vector<std::string> names;
  for (const Spec& spec : list_games()) names.push_back(spec.name);
  return names;
}

inline std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const Spec& spec : list_tasks()) names.push_back(spec.name);
  return names;
}

/// A folder that holds data/mjcf/FILE with one piece of text replaced by another.
inline std::filesystem::path changed_model(const std::string& file, const std::string& from,
                                           const std::string& to) {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "tenfold_env" / test->name();
  std::filesystem::create_directories(folder);
  std::ifstream in(std::string(TENFOLD_SOURCE_DIR "/data/mjcf/") + file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << file << " has no " << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  std::ofstream(folder / file) << text;
  return folder;
}

}  // namespace tenfold::env
