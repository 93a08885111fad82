#include "env/tasks/parts.hpp"

#include "env/tolerance.hpp"

namespace tenfold::env {

double near_goal(double distance, double radius, double margin) {
  return 0.5 * tolerance(distance, 0, radius, margin) + (distance <= radius ? 0.5 : 0.0);
}

bool anything_overlaps(const mjModel& model, mjData& data) {
  mj_fwdPosition(&model, &data);
  for (int i = 0; i < data.ncon; ++i) {
    if (data.contact[i].dist < -1e-6) return true;
  }
  return false;
}

}  // namespace tenfold::env
