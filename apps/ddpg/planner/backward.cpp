#include "ddpg/planner/backward.hpp"

#include <Eigen/Cholesky>

#include "ddpg/planner/box_qp.hpp"

namespace tenfold::ddpg {

namespace {

struct ActionValue {
  Eigen::VectorXd qx, qu;
  Eigen::MatrixXd qxx, quu, qux;
};

ActionValue action_value(const Expansion& at, const Eigen::VectorXd& vx,
                         const Eigen::MatrixXd& vxx) {
  return {at.cx + at.a.transpose() * vx, at.cu + at.b.transpose() * vx,
          at.cxx + at.a.transpose() * vxx * at.a, at.cuu + at.b.transpose() * vxx * at.b,
          at.cux + at.b.transpose() * vxx * at.a};
}

// Actions held by a bound do not answer to the state.
Eigen::MatrixXd feedback_of_free(const Eigen::MatrixXd& quu, const Eigen::MatrixXd& qux,
                                 const std::vector<Eigen::Index>& free) {
  Eigen::MatrixXd feedback = Eigen::MatrixXd::Zero(qux.rows(), qux.cols());
  if (free.empty()) return feedback;
  const Eigen::LLT<Eigen::MatrixXd> factor(quu(free, free));
  feedback(free, Eigen::all) = -factor.solve(Eigen::MatrixXd(qux(free, Eigen::all)));
  return feedback;
}

}  // namespace

bool backward_pass(std::span<const Expansion> path, std::span<const float> actions, double mu,
                   std::vector<Gains>& gains) {
  if (path.empty()) return true;
  const Eigen::Index n = path[0].cx.size(), m = path[0].cu.size();
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(m);
  Eigen::VectorXd vx = Eigen::VectorXd::Zero(n);
  Eigen::MatrixXd vxx = Eigen::MatrixXd::Zero(n, n);
  for (std::size_t t = path.size(); t-- > 0;) {
    const ActionValue q = action_value(path[t], vx, vxx);
    const Eigen::MatrixXd regular = q.quu + mu * Eigen::MatrixXd::Identity(m, m);
    const Eigen::VectorXd u =
        Eigen::Map<const Eigen::VectorXf>(actions.data() + t * static_cast<std::size_t>(m), m)
            .cast<double>();
    BoxSolution best = solve_box(regular, q.qu, -ones - u, ones - u);
    if (!best.positive) return false;
    Eigen::VectorXd& k = gains[t].feedforward;
    Eigen::MatrixXd& feedback = gains[t].feedback;
    k = std::move(best.x);
    feedback = feedback_of_free(regular, q.qux, best.free);
    vx = q.qx + feedback.transpose() * (q.quu * k + q.qu) + q.qux.transpose() * k;
    const Eigen::MatrixXd half = q.qxx + feedback.transpose() * q.quu * feedback +
                                 feedback.transpose() * q.qux + q.qux.transpose() * feedback;
    vxx = 0.5 * (half + half.transpose());
  }
  return true;
}

}  // namespace tenfold::ddpg
