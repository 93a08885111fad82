#include "env/tasks/task.hpp"

#include "base/error.hpp"
#include "env/tolerance.hpp"

namespace tenfold::env {

void check_may_end(const Spec& spec, const NativeOptions& options) {
  if (options.may_end || !spec.can_end) return;
  throw base::Error(base::Code::kUsage,
                    fmt::format("task {} ends by its rules and cannot go on after that", spec.name),
                    "Leave the option that turns ends off to tasks of continuous control");
}

int object_id(const mjModel& model, mjtObj type, const char* name) {
  const int id = mj_name2id(&model, type, name);
  if (id < 0) {
    throw base::Error(base::Code::kData,
                      fmt::format("the model has no {} called '{}'", mju_type2Str(type), name),
                      "The task reads it: keep the names of data/mjcf in a model of your own");
  }
  return id;
}

JointAddress joint_address(const mjModel& model, const char* name) {
  const int id = object_id(model, mjOBJ_JOINT, name);
  if (model.jnt_type[id] != mjJNT_HINGE && model.jnt_type[id] != mjJNT_SLIDE) {
    throw base::Error(base::Code::kData,
                      fmt::format("joint '{}' of the model is neither a hinge nor a slide", name),
                      "The task reads one angle or position from it");
  }
  return {model.jnt_qposadr[id], model.jnt_dofadr[id]};
}

int mocap_id(const mjModel& model, const char* name) {
  const int id = model.body_mocapid[object_id(model, mjOBJ_BODY, name)];
  if (id < 0) {
    throw base::Error(base::Code::kData,
                      fmt::format("body '{}' of the model is not a mocap body", name),
                      "Add mocap=\"true\": the task moves it");
  }
  return id;
}

double small_control(const mjModel& model, const mjData& data) {
  double sum = 0;
  for (int i = 0; i < model.nu; ++i) {
    sum += tolerance(data.ctrl[i], 0, 0, 1, Sigmoid::kQuadratic, 0);
  }
  return (4 + sum / model.nu) / 5;
}

}  // namespace tenfold::env
