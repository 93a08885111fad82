// One task with a simulation of its own, placed by the names of its parts.
#pragma once

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "env/mujoco_model.hpp"
#include "env/tasks/task.hpp"

namespace tenfold::env {

class NamedScene {
 public:
  NamedScene(const std::vector<TaskEntry>& family, const std::string& name) {
    for (const TaskEntry& entry : family) {
      if (entry.spec.name == name) task_ = entry.make();
    }
    model_ = load_model(base::data_file("mjcf/" + task_->model_file()));
    data_.reset(mj_makeData(model_.get()));
    task_->bind(*model_);
  }

  void start(std::uint32_t seed) {
    base::Stream stream(seed, base::Purpose::kTest, 0, 0);
    mj_resetData(model_.get(), data_.get());
    task_->start(*model_, *data_, stream);
  }
  void joint(const char* name, double position, double velocity = 0) {
    const JointAddress at = joint_address(*model_, name);
    data_->qpos[at.qpos] = position;
    data_->qvel[at.qvel] = velocity;
  }
  void target(double x, double y, double z, const char* name = "target") {
    const double place[] = {x, y, z};
    mju_copy3(data_->mocap_pos + 3 * mocap_id(*model_, name), place);
  }
  void control(double value) { std::fill_n(data_->ctrl, model_->nu, value); }
  double reward() {
    task_->refresh(*model_, *data_);
    return task_->reward(*model_, *data_);
  }
  /// How deep the deepest of all overlaps is, meters.
  double overlap() {
    mj_forward(model_.get(), data_.get());
    double deepest = 0;
    for (int i = 0; i < data_->ncon; ++i) deepest = std::max(deepest, -data_->contact[i].dist);
    return deepest;
  }
  mjModel& model() { return *model_; }
  mjData& data() { return *data_; }

 private:
  struct Deleter {
    void operator()(mjData* data) const { mj_deleteData(data); }
  };
  std::unique_ptr<Task> task_;
  ModelPointer model_;
  std::unique_ptr<mjData, Deleter> data_;
};

}  // namespace tenfold::env
