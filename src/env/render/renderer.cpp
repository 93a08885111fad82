#include "env/render/renderer.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "env/mujoco_guard.hpp"

namespace tenfold::env {

using base::Code;
using base::Error;

namespace {

constexpr int kView = mjSTATE_QPOS | mjSTATE_MOCAP_POS | mjSTATE_MOCAP_QUAT;

// guard_mujoco with a callable; the callable must own nothing.
template <class Body>
void guard(const char* what, Body body) {
  guard_mujoco(
      what, [](void* argument) { (*static_cast<Body*>(argument))(); }, &body);
}

}  // namespace

Renderer::Renderer(const mjModel& model, const std::string& camera, int local_rank, int samples)
    : model_(model),
      gl_(GlContext::of_process(local_rank)),
      view_size_(static_cast<std::size_t>(mj_stateSize(&model, kView))) {
  mjv_defaultOption(&option_);
  mjv_defaultScene(&scene_);
  mjr_defaultContext(&context_);
  choose_camera(camera);
  gl_.make_current();
  try {
    guard("pictures", [this, samples] { start(samples); });
  } catch (...) {
    mjr_freeContext(&context_);
    mjv_freeScene(&scene_);
    throw;
  }
}

Renderer::~Renderer() {
  try {
    gl_.make_current();
    mjr_freeContext(&context_);
  } catch (const Error&) {  // another thread holds OpenGL: its memory goes with the process
  }
  mjv_freeScene(&scene_);
}

void Renderer::choose_camera(const std::string& name) {
  mjv_defaultFreeCamera(&model_, &camera_);
  int id = mj_name2id(&model_, mjOBJ_CAMERA, name.empty() ? "fixed" : name.c_str());
  if (id < 0 && !name.empty()) {
    std::vector<std::string> there;
    for (int i = 0; i < model_.ncam; ++i) {
      const char* each = mj_id2name(&model_, mjOBJ_CAMERA, i);
      if (each != nullptr) there.emplace_back(each);
    }
    throw Error(Code::kUsage, fmt::format("the model has no camera '{}'", base::printable(name)),
                there.empty() ? "It names none" : "It has " + base::join(there, ", "));
  }
  if (id < 0 && model_.ncam > 0) id = 0;
  if (id < 0) return;
  camera_.type = mjCAMERA_FIXED;
  camera_.fixedcamid = id;
}

void Renderer::start(int samples) {
  constexpr int kSpareGeoms = 1000;  // tendons, sites, lights
  data_.reset(mj_makeData(&model_));
  mjv_makeScene(&model_, &scene_, kSpareGeoms + 2 * model_.ngeom);
  scene_.flags[mjRND_SHADOW] = 0;
  scene_.flags[mjRND_REFLECTION] = 0;
  // The struct's numbers alone are copied. MuJoCo would make room for shadows that are never drawn
  // (64 MB) and for a picture that draw gives another size, and twice as many triangles take twice
  // as long.
  mjModel lean = model_;
  lean.vis.quality.shadowsize = 0;
  lean.vis.quality.numslices = std::min(lean.vis.quality.numslices, 12);
  lean.vis.quality.numstacks = std::min(lean.vis.quality.numstacks, 8);
  if (samples >= 0) lean.vis.quality.offsamples = samples;
  lean.vis.global.offwidth = lean.vis.global.offheight = 1;
  mjr_makeContext(&lean, &context_, mjFONTSCALE_50);
}

void Renderer::view(const mjData& data, std::span<double> view) const {
  base::require(view.size() == view_size_, "Renderer::view: wrong size");
  mj_getState(&model_, &data, view.data(), kView);
}

void Renderer::resize(int width, int height) {
  base::require(width > 0 && height > 0, "Renderer::draw: no size");
  if (width == context_.offWidth && height == context_.offHeight) return;
  if (std::max(width, height) > gl_.largest_side()) {
    throw Error(Code::kUsage,
                fmt::format("a picture of {} x {} pixels: at most {} a side are drawn by {}", width,
                            height, gl_.largest_side(), backend()),
                "Ask for a smaller picture");
  }
  guard("pictures", [this, width, height] { mjr_resizeOffscreen(width, height, &context_); });
}

void Renderer::draw(std::span<const double> view, int width, int height,
                    std::span<std::uint8_t> rgb) {
  const std::size_t line = 3 * static_cast<std::size_t>(width);
  base::require(view.size() == view_size_ && rgb.size() == line * static_cast<std::size_t>(height),
                "Renderer::draw: wrong size");
  gl_.make_current();
  resize(width, height);
  bottom_up_.resize(rgb.size());
  const mjrRect all = {0, 0, width, height};
  guard("pictures", [this, view, all] {
    mj_setState(&model_, data_.get(), view.data(), kView);
    mj_kinematics(&model_, data_.get());
    mj_comPos(&model_, data_.get());  // cameras that follow a body's mass
    mj_camlight(&model_, data_.get());
    mj_flex(&model_, data_.get());
    mj_tendon(&model_, data_.get());
    mjv_updateScene(&model_, data_.get(), &option_, nullptr, &camera_, mjCAT_ALL, &scene_);
    mjr_setBuffer(mjFB_OFFSCREEN, &context_);  // another renderer may have drawn into its own
    mjr_render(all, &scene_, &context_);
    mjr_readPixels(bottom_up_.data(), nullptr, all, &context_);
  });
  if (const int code = mjr_getError(); code != 0) {
    throw Error(Code::kData, fmt::format("pictures: OpenGL error {:#x} in {}", code, backend()));
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(height); ++row) {
    const auto* from = bottom_up_.data() + rgb.size() - (row + 1) * line;
    std::copy_n(from, line, rgb.data() + row * line);
  }
}

}  // namespace tenfold::env
