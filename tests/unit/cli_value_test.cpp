#include <gtest/gtest.h>

#include <limits>

#include "cli/value.hpp"

namespace tenfold::cli {
namespace {

TEST(ParseDuration, TakesUnitsAndClockTime) {
  EXPECT_EQ(parse_duration("90"), 90);
  EXPECT_EQ(parse_duration("90s"), 90);
  EXPECT_EQ(parse_duration("1.5m"), 90);
  EXPECT_EQ(parse_duration("2h"), 7200);
  EXPECT_EQ(parse_duration("1d"), 86400);
  EXPECT_EQ(parse_duration("01:30:05"), 5405);
  EXPECT_EQ(parse_duration("100:00:00"), 360000);
  EXPECT_EQ(parse_duration("0"), 0);
}

TEST(ParseDuration, RefusesTheRest) {
  for (const char* text : {"", "s", "-1", "-1s", "1x", "1 m", "nan", "inf", "1e400s", "1:30",
                           "1:2:3:4", "::", "1::2", "1:-2:3", "1.5:00:00", "01:30:00s", "soon"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Reals, ReadBackEqual) {
  for (const double value :
       {0.1, 1.0 / 3, 1e-300, 3e-3, 1e22, -0.0, 5e-324, std::numeric_limits<double>::max()}) {
    EXPECT_EQ(to_real(from_real(value)), value);
  }
  EXPECT_EQ(from_real(0.1), "0.1");
  EXPECT_EQ(from_real(1), "1");
}

TEST(Integers, KeepTheirFullRange) {
  EXPECT_EQ(to_integer("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(to_integer("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(to_integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(to_integer("+5"), 5);
  EXPECT_EQ(to_integer("++5"), std::nullopt);
  EXPECT_EQ(to_integer("+"), std::nullopt);
}

TEST(Lists, ReadBackEqual) {
  const std::vector<std::int64_t> values{400, 300, 1};
  EXPECT_EQ(from_list(values), "400x300x1");
  EXPECT_EQ(to_list(from_list(values)), values);
  EXPECT_EQ(to_list("400, 300"), std::nullopt);
}

TEST(Domain, SaysEveryKindOfBound) {
  Option option;
  option.type = ValueType::kReal;
  EXPECT_EQ(describe_domain(option), "a finite number");
  option.low = 0;
  EXPECT_EQ(describe_domain(option), "a finite number of at least 0");
  option.low_open = true;
  EXPECT_EQ(describe_domain(option), "a finite number above 0");
  option.high = 0.5;
  EXPECT_EQ(describe_domain(option), "a finite number in (0, 0.5]");
  option.low.reset();
  EXPECT_EQ(describe_domain(option), "a finite number of at most 0.5");
  option.high_open = true;
  option.unit = "s";
  EXPECT_EQ(describe_domain(option), "a finite number below 0.5 (s)");
}

TEST(Domain, BoundsAreTakenOrRefusedAsSaid) {
  Option option;
  option.type = ValueType::kReal;
  option.low = 0;
  option.high = 1;
  EXPECT_EQ(find_fault(option, "0"), "");
  EXPECT_EQ(find_fault(option, "1"), "");
  EXPECT_NE(find_fault(option, "1.0000001"), "");
  option.low_open = option.high_open = true;
  EXPECT_NE(find_fault(option, "0"), "");
  EXPECT_NE(find_fault(option, "1"), "");
  EXPECT_EQ(find_fault(option, "5e-324"), "");
}

}  // namespace
}  // namespace tenfold::cli
