// task_pictures SIDE DECISIONS FILE: what task_sheet.py draws. FILE gets a line of JSON {tasks,
// side}, then, for every MuJoCo task, two pictures [SIDE, SIDE, 3]: the start, and after that many
// decisions of random actions.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "env/render/pixel_batch.hpp"

namespace {

using namespace tenfold;

void write_picture(env::PixelBatch& batch, int side, std::ofstream& file) {
  const std::vector<std::uint8_t> rgb = batch.picture(0, side, side);
  file.write(reinterpret_cast<const char*>(rgb.data()), static_cast<std::streamsize>(rgb.size()));
}

void draw_task(const std::string& task, int side, int decisions, std::ofstream& file) {
  const auto batch = env::make_pixel_env(task, 1, {.terminate_on_fall = false});
  base::Stream start(1, base::Purpose::kTest, 0, 0), draws(1, base::Purpose::kTest, 1, 0);
  batch->reset(0, start);
  write_picture(*batch, side, file);
  std::vector<float> actions(batch->spec().action_size);
  for (int k = 0; k < decisions; ++k) {
    for (float& each : actions) each = static_cast<float>(draws.uniform(-1, 1));
    batch->step(actions);
  }
  write_picture(*batch, side, file);
}

void draw_all(int side, int decisions, const std::string& path) {
  std::vector<std::string> tasks;
  for (const env::Spec& spec : env::list_tasks()) {
    if (!env::model_file(spec.name).empty()) tasks.push_back(spec.name);
  }
  std::ofstream file(path, std::ios::binary);
  file << nlohmann::json{{"tasks", tasks}, {"side", side}}.dump() << '\n';
  for (const std::string& task : tasks) draw_task(task, side, decisions, file);
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::invalid_argument("usage: task_pictures SIDE DECISIONS FILE");
    draw_all(std::stoi(argv[1]), std::stoi(argv[2]), argv[3]);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    fmt::print(stderr, "task_pictures: {}\n", error.what());
    return EXIT_FAILURE;
  }
}
