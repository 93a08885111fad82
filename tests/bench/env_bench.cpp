// env_bench TASK ROWS DECISIONS FILE: one measurement of env_bench.py. Reads {start:
// [ROWS][numbers], actions: [period][ROWS][motors]} from FILE; start holds qpos and qvel. Prints
// {steps_per_s, states}.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "env/registry.hpp"

namespace {

using namespace tenfold;
using Json = nlohmann::json;

void measure(const std::string& task, std::size_t rows, std::int64_t decisions, const Json& input) {
  const auto env = env::make_env(task, rows, {.horizon = INT64_MAX});
  const auto start = input.at("start").get<std::vector<std::vector<double>>>();
  std::vector<double> state(env->state_size());
  for (std::size_t row = 0; row < rows; ++row) {
    base::Stream stream(1, base::Purpose::kTest, 0, 0);
    env->reset(row, stream);
    env->save(row, state);
    std::copy(start[row].begin(), start[row].end(), state.begin() + 1);  // state[0] is the time
    env->load(row, state);
  }
  std::vector<std::vector<float>> actions;
  for (const Json& decision : input.at("actions")) {
    actions.emplace_back();
    for (const Json& row : decision) {
      for (const float each : row.get<std::vector<float>>()) actions.back().push_back(each);
    }
  }

  const double begin = base::cpu_now();
  for (std::int64_t k = 0; k < decisions; ++k) {
    env->step(actions[static_cast<std::size_t>(k) % actions.size()]);
  }
  const double seconds = base::cpu_now() - begin;

  Json states = Json::array();
  for (std::size_t row = 0; row < rows; ++row) {
    env->save(row, state);
    states.push_back(std::vector<double>(
        state.begin(), state.begin() + 1 + static_cast<std::ptrdiff_t>(start[row].size())));
  }
  const double steps =
      static_cast<double>(decisions * env->spec().action_repeat) * static_cast<double>(rows);
  fmt::print("{}\n", Json{{"steps_per_s", steps / seconds}, {"states", states}}.dump());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 5) throw std::invalid_argument("usage: env_bench TASK ROWS DECISIONS FILE");
    std::ifstream file(argv[4]);
    measure(argv[1], std::stoul(argv[2]), std::stoll(argv[3]), Json::parse(file));
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "env_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
