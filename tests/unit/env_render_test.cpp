// Pictures of single scenes, and the OpenGL context behind them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "base/error.hpp"
#include "env/mujoco_model.hpp"
#include "env/render/renderer.hpp"
#include "env_pictures.hpp"

namespace tenfold::env {
namespace {

using testing::HasSubstr;

// Boxes that shine in their own colours, seen by a camera with x to the right and z up: red above
// on the left, blue above on the right, green below on the left.
constexpr const char* kColours = R"(<mujoco>
  <visual><headlight ambient="0 0 0" diffuse="0 0 0" specular="0 0 0"/></visual>
  <asset>
    <material name="red" rgba="1 0 0 1" emission="1"/>
    <material name="green" rgba="0 1 0 1" emission="1"/>
    <material name="blue" rgba="0 0 1 1" emission="1"/>
  </asset>
  <worldbody>
    <camera name="other" pos="0 3 0" xyaxes="-1 0 0 0 0 1"/>
    <camera name="fixed" pos="0 -3 0" xyaxes="1 0 0 0 0 1"/>
    <geom type="box" size="0.5 0.1 0.5" pos="-0.5 0 0.5" material="red"/>
    <geom type="box" size="0.5 0.1 0.5" pos="0.5 0 0.5" material="blue"/>
    <geom type="box" size="0.5 0.1 0.5" pos="-0.5 0 -0.5" material="green"/>
  </worldbody>
</mujoco>)";

// A box above a plane, lit from above; %s: what may not show.
std::string lit_scene(const std::string& shadow, const std::string& reflectance) {
  return R"(<mujoco><asset><material name="floor" rgba="0.5 0.6 0.7 1" reflectance=")" +
         reflectance + R"("/></asset><worldbody>
    <light pos="0 0 4" dir="0 0 -1" castshadow=")" +
         shadow + R"("/>
    <camera pos="0 -3 1.5" xyaxes="1 0 0 0 0.4 0.9"/>
    <geom type="plane" size="5 5 1" material="floor"/>
    <body pos="0 0 0.8"><joint type="hinge" axis="0 1 0"/><geom type="box" size="0.3 0.3 0.2"/></body>
  </worldbody></mujoco>)";
}

ModelPointer scene(const std::string& text) {
  const std::string path = testing::TempDir() + "tenfold_scene_" +
                           testing::UnitTest::GetInstance()->current_test_info()->name() + ".xml";
  std::ofstream(path) << text;
  return load_model(path);
}

// The model's start, with the first joint (if any) turned.
std::vector<std::uint8_t> draw(Renderer& renderer, int width, int height, double turned = 0) {
  std::vector<double> view(renderer.view_size());
  if (!view.empty()) view[0] = turned;
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                                3);
  renderer.draw(view, width, height, rgb);
  return rgb;
}

std::string colour(const std::vector<std::uint8_t>& rgb, int width, int x, int y) {
  std::string text;
  for (int c = 0; c < 3; ++c) {
    const int value = rgb[static_cast<std::size_t>(3 * (y * width + x) + c)];
    text += value > 240 ? '1' : value < 15 ? '0' : '?';
  }
  return text;
}

using Renders = Pictures;

TEST_F(Renders, ColoursAndSidesAreTheScenes) {
  const ModelPointer model = scene(kColours);
  Renderer renderer(*model, "", 0);
  for (const auto& [width, height] : {std::array{64, 64}, std::array{63, 33}}) {
    const auto rgb = draw(renderer, width, height);
    // 0.5 m at 3 m and 45 degrees of view: 20 % of the height from the middle.
    const int away = height / 8;
    EXPECT_EQ(colour(rgb, width, width / 2 - away, height / 2 - away), "100");
    EXPECT_EQ(colour(rgb, width, width / 2 + away, height / 2 - away), "001");
    EXPECT_EQ(colour(rgb, width, width / 2 - away, height / 2 + away), "010");
    EXPECT_EQ(colour(rgb, width, width / 2 + away, height / 2 + away), "000");
  }
}

TEST_F(Renders, TheCameraIsTheOneNamed) {
  const ModelPointer model = scene(kColours);
  Renderer renderer(*model, "other", 0);
  const auto rgb = draw(renderer, 64, 64);
  EXPECT_EQ(colour(rgb, 64, 24, 24), "001") << "seen from behind";
  EXPECT_EQ(colour(rgb, 64, 40, 24), "100");
}

TEST_F(Renders, TheSameViewGivesTheSameBytesWhateverWasDrawnBefore) {
  const ModelPointer model = scene(lit_scene("true", "0.5"));
  Renderer renderer(*model, "", 0), second(*model, "", 0);
  const auto first = draw(renderer, 64, 64, 0.3);
  EXPECT_NE(draw(renderer, 64, 64, 0.9), first);
  draw(renderer, 200, 30, 0.3);
  EXPECT_EQ(draw(renderer, 64, 64, 0.3), first);
  EXPECT_EQ(draw(second, 64, 64, 0.3), first);
}

TEST_F(Renders, ACameraThatFollowsSeesItsBodyWhereverThatIs) {
  const ModelPointer model = scene(R"(<mujoco>
    <visual><headlight ambient="0 0 0" diffuse="0 0 0" specular="0 0 0"/></visual>
    <asset><material name="red" rgba="1 0 0 1" emission="1"/></asset>
    <worldbody><body><joint type="slide" axis="1 0 0"/>
      <camera mode="trackcom" pos="0 -3 0" xyaxes="1 0 0 0 0 1"/>
      <geom type="box" size="0.5 0.1 0.5" material="red"/></body></worldbody></mujoco>)");
  Renderer renderer(*model, "", 0);
  const auto here = draw(renderer, 64, 64), there = draw(renderer, 64, 64, 8);
  EXPECT_EQ(colour(here, 64, 32, 32), "100");
  EXPECT_EQ(colour(there, 64, 32, 32), "100");
}

// Edges of a turned box have mixed colours only where a pixel has several samples.
TEST_F(Renders, SamplesSmoothEdges) {
  const std::string text = R"(<mujoco>
    <visual><headlight ambient="0 0 0" diffuse="0 0 0" specular="0 0 0"/></visual>
    <asset><material name="red" rgba="1 0 0 1" emission="1"/></asset>
    <worldbody><camera pos="0 -3 0" xyaxes="1 0 0 0 0 1"/>
      <geom type="box" size="0.5 0.1 0.5" euler="0 20 0" material="red"/></worldbody></mujoco>)";
  const ModelPointer model = scene(text);
  const auto mixed = [&model](int samples) {
    Renderer renderer(*model, "", 0, samples);
    const auto rgb = draw(renderer, 64, 64);
    return std::count_if(rgb.begin(), rgb.end(),
                         [](int value) { return value > 20 && value < 235; });
  };
  EXPECT_EQ(mixed(0), 0);
  EXPECT_GT(mixed(-1), 50);
}

TEST_F(Renders, NoShadowsAndNoReflections) {
  const auto drawn = [](const std::string& text) {
    const ModelPointer model = scene(text);
    Renderer renderer(*model, "", 0);
    return draw(renderer, 64, 64);
  };
  const auto plain = drawn(lit_scene("false", "0"));
  EXPECT_EQ(drawn(lit_scene("true", "0")), plain);
  EXPECT_EQ(drawn(lit_scene("false", "0.8")), plain);
}

template <class Body>
base::Error error_of(Body body) {
  try {
    body();
  } catch (const base::Error& error) {
    return error;
  }
  return base::Error(base::Code::kOk, "no error");
}

TEST_F(Renders, AnUnknownCameraIsAnsweredWithThoseThatThereAre) {
  const ModelPointer model = scene(kColours);
  const base::Error error = error_of([&] { Renderer renderer(*model, "fixd", 0); });
  EXPECT_EQ(error.code(), base::Code::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("no camera 'fixd'"));
  EXPECT_THAT(error.what(), HasSubstr("other, fixed"));
}

TEST_F(Renders, LargerThanTheModelsOffscreenBufferIsDrawn) {
  const ModelPointer model = scene(kColours);  // MuJoCo's own buffer: 640 x 480
  Renderer renderer(*model, "", 0);
  EXPECT_EQ(colour(draw(renderer, 800, 600), 800, 300, 200), "100");
}

TEST_F(Renders, ASizeBeyondOpenGlIsRefused) {
  const ModelPointer model = scene(kColours);
  Renderer renderer(*model, "", 0);
  const auto before = draw(renderer, 64, 64);
  const base::Error error = error_of([&] { draw(renderer, 1 << 20, 1); });
  EXPECT_EQ(error.code(), base::Code::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("1048576 x 1 pixels"));
  EXPECT_EQ(draw(renderer, 64, 64), before) << "the renderer goes on";
}

// One environment variable, put back at the end.
class Setting {
 public:
  explicit Setting(const char* value) {
    const char* now = std::getenv("MUJOCO_GL");
    if (now != nullptr) before_ = now;
    if (value != nullptr) {
      ::setenv("MUJOCO_GL", value, 1);
    } else {
      ::unsetenv("MUJOCO_GL");
    }
  }
  ~Setting() {
    before_.empty() ? ::unsetenv("MUJOCO_GL") : ::setenv("MUJOCO_GL", before_.c_str(), 1);
  }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  std::string before_;
};

const GlLibraries kNone = {"libtenfold_no_egl.so", "libtenfold_no_osmesa.so"};

TEST(GlContext, WithoutAnyLibraryTheErrorNamesPackagesAndVariable) {
  const Setting unset(nullptr);
  const base::Error error = error_of([] { make_gl_context(0, kNone); });
  EXPECT_EQ(error.code(), base::Code::kUsage);
  for (const char* part : {"libtenfold_no_egl.so", "libtenfold_no_osmesa.so", "libegl1",
                           "libegl-mesa0", "libgl1-mesa-dri", "libosmesa6", "MUJOCO_GL"}) {
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(GlContext, TheWayThatTheUserNamedIsTheOnlyOneTried) {
  const Setting egl("egl");
  const base::Error error = error_of([] { make_gl_context(0, kNone); });
  EXPECT_THAT(error.what(), HasSubstr("MUJOCO_GL=egl"));
  EXPECT_THAT(error.message(), testing::Not(HasSubstr("OSMesa")));
}

TEST(GlContext, AWindowIsRefused) {
  const Setting glfw("glfw");
  const base::Error error = error_of([] { make_gl_context(0); });
  EXPECT_EQ(error.code(), base::Code::kUsage);
  EXPECT_THAT(error.what(), HasSubstr("'glfw'"));
}

TEST_F(Renders, TheBackendSaysWhatItIs) {
  const char* wanted = std::getenv("MUJOCO_GL");
  const std::string text = GlContext::of_process(0).description();
  if (wanted != nullptr && std::string(wanted) == "osmesa") {
    EXPECT_THAT(text, testing::StartsWith("OSMesa: "));
  }
  EXPECT_THAT(text, HasSubstr("OpenGL"));
  EXPECT_THAT(text, testing::Not(HasSubstr("unknown")));
}

}  // namespace
}  // namespace tenfold::env
