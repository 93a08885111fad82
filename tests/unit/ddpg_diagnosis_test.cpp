#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ddpg/diagnosis.hpp"

namespace tenfold::ddpg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CalibrationFit, OfALineIsTheLine) {
  std::vector<Calibration> pairs;
  for (int i = 0; i < 9; ++i) pairs.push_back({0.5 * i + 3, 1.0 * i});
  const CalibrationFit fit = fit_calibration(pairs);
  EXPECT_DOUBLE_EQ(fit.slope, 0.5);
  EXPECT_DOUBLE_EQ(fit.estimated, 5);
  EXPECT_DOUBLE_EQ(fit.bias, 1);  // 5 against a mean return of 4
  EXPECT_DOUBLE_EQ(fit.largest_returned, 8);
}

// 1.0938649489 is what huber_slope of tests/learning/learning_claim.py (NumPy) finds; least squares
// gives 2.0167.
TEST(CalibrationFit, AnOutlierHardlyMovesTheSlope) {
  const std::vector<double> y = {1.1, 1.9, 3.2, 3.8, 5.3, 5.9, 7.4, 20};
  std::vector<Calibration> pairs;
  for (std::size_t i = 0; i < y.size(); ++i) {
    pairs.push_back({y[i], static_cast<double>(i) + 1});
  }
  EXPECT_NEAR(fit_calibration(pairs).slope, 1.093864948911595, 1e-9);
}

TEST(CalibrationFit, SaysNothingOfWhatIsNotThere) {
  const CalibrationFit none = fit_calibration({});
  EXPECT_TRUE(std::isnan(none.slope) && std::isnan(none.bias) && std::isnan(none.estimated));
  const CalibrationFit two = fit_calibration({{1, 1}, {2, 2}});
  EXPECT_TRUE(std::isnan(two.slope));
  EXPECT_EQ(two.bias, 0);
  const CalibrationFit still = fit_calibration({{1, 100}, {2, 100.00001}, {4, 99.99999}});
  EXPECT_TRUE(std::isnan(still.slope)) << "returns that are all the same";
  EXPECT_NEAR(still.bias, -97.666667, 1e-6);
}

Signs healthy() {
  Signs signs;
  signs.saturation = 0.5;
  signs.pretanh = 8;
  signs.fit = {1, 1, 31, 40};
  signs.largest_return = 100;
  return signs;
}

TEST(Diagnosis, IsSilentWhereAllIsWell) {
  Diagnosis diagnosis;
  EXPECT_THAT(diagnosis.look(healthy()), IsEmpty());
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(diagnosis.look({unknown, unknown, fit_calibration({}), 100, true}), IsEmpty());
}

TEST(Diagnosis, SaysEachKindOnceAndWhatToChange) {
  Diagnosis diagnosis;
  Signs signs = healthy();
  signs.saturation = 0.97;
  EXPECT_THAT(diagnosis.look(signs),
              ElementsAre(testing::AllOf(HasSubstr("97%"), HasSubstr("--lr-actor"))));
  EXPECT_THAT(diagnosis.look(signs), IsEmpty());
  signs.pretanh = 25.5;
  EXPECT_THAT(diagnosis.look(signs),
              ElementsAre(testing::AllOf(HasSubstr("25.5"), HasSubstr("--preactivation-penalty"))));
  signs.fit = {1.5, 60, 90, 40};
  EXPECT_THAT(diagnosis.look(signs),
              ElementsAre(testing::AllOf(HasSubstr("promises 90"), HasSubstr("where 30 followed"),
                                         HasSubstr("--lr-critic"))));
  EXPECT_THAT(diagnosis.look(signs), IsEmpty());
}

TEST(Diagnosis, OverestimationMustBeGross) {
  Signs signs = healthy();
  signs.fit = {1, 39, 60, 40};  // less than what episodes are worth
  EXPECT_THAT(Diagnosis().look(signs), IsEmpty());
  signs.fit = {1, 9, 9, 0.1};  // more than that, but little where 100 is possible
  EXPECT_THAT(Diagnosis().look(signs), IsEmpty());
  signs.largest_return = std::numeric_limits<double>::infinity();  // a Gymnasium task
  EXPECT_THAT(Diagnosis().look(signs), testing::SizeIs(1));
  signs.learning = false;
  EXPECT_THAT(Diagnosis().look(signs), IsEmpty());
}

}  // namespace
}  // namespace tenfold::ddpg
