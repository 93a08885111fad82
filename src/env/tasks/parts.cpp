#include "env/tasks/parts.hpp"

#include "env/tolerance.hpp"

namespace tenfold::env {

double near_goal(double distance, double radius, double margin) {
  return 0.5 * tolerance(distance, 0, radius, margin) + (distance <= radius ? 0.5 : 0.0);
}

double grip_and_place(double to_object, double to_target, double reach) {
  constexpr double kHandRadius = 0.03, kTargetRadius = 0.04;
  return 0.3 * near_goal(to_object, kHandRadius, reach) +
         0.7 * near_goal(to_target, kTargetRadius, reach);
}

bool anything_overlaps(const mjModel& model, mjData& data) {
  mj_fwdPosition(&model, &data);
  for (int i = 0; i < data.ncon; ++i) {
    if (data.contact[i].dist < -1e-6) return true;
  }
  return false;
}

}  // namespace tenfold::env
