#include "env/actions.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace tenfold::env {

namespace {

void check_choices(const Spec& spec, std::span<const float> actions) {
  const auto most = static_cast<float>(spec.choices - 1);
  const auto bad = std::find_if(actions.begin(), actions.end(), [most](float each) {
    return !(each >= 0 && each <= most && each == std::floor(each));
  });
  if (bad == actions.end()) return;
  throw base::Error(base::Code::kBug,
                    fmt::format("action {} of environment {} of task {} is no choice from 0 to {}",
                                *bad, bad - actions.begin(), spec.name, spec.choices - 1));
}

}  // namespace

void check_actions(const Spec& spec, std::span<const float> actions,
                   std::span<const std::uint8_t> running) {
  base::require(actions.size() == running.size() * spec.action_size,
                "BatchEnv::step: wrong number of actions");
  base::require(
      std::all_of(running.begin(), running.end(), [](std::uint8_t each) { return each != 0; }),
      "BatchEnv::step: a row is outside an episode, reset it first");
  const auto bad =
      std::find_if(actions.begin(), actions.end(), [](float each) { return std::isnan(each); });
  if (bad == actions.end()) {
    if (spec.choices > 0) check_choices(spec, actions);
    return;
  }
  const auto index = static_cast<std::size_t>(bad - actions.begin());
  throw base::Error(base::Code::kNumeric,
                    fmt::format("action {} of environment {} of task {} is not a number",
                                index % spec.action_size, index / spec.action_size, spec.name),
                    "The policy has diverged: lower the learning rates");
}

}  // namespace tenfold::env
