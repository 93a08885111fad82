#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "tenfold/sparkline.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Sparkline, LowestToHighestInEightLevels) {
  EXPECT_EQ(sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 32, false), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 32, true), "_.:-=+*#");
  EXPECT_EQ(sparkline({7, 0}, 32, true), "#_");
}

TEST(Sparkline, FlatIsInTheMiddle) {
  EXPECT_EQ(sparkline({3, 3, 3}, 32, true), "===");
  EXPECT_EQ(sparkline({}, 32, true), "");
}

TEST(Sparkline, WhatIsNotFiniteIsASpaceAndDoesNotSetTheScale) {
  EXPECT_EQ(sparkline({0, kNan, 7, kInf, -kInf}, 32, true), "_ #  ");
  EXPECT_EQ(sparkline({kNan, kNan}, 32, true), "  ");
}

TEST(Sparkline, HugeSpansDoNotOverflow) {
  constexpr double kHuge = std::numeric_limits<double>::max();
  EXPECT_EQ(sparkline({-kHuge, 0, kHuge}, 32, true), "_=#");
}

TEST(Sparkline, MoreValuesThanPlacesShowMeansOfEqualGroups) {
  // Means 0.5, 2.5, 4.5, 6.5: evenly spaced, so levels 0, 2, 5, 7 of 0..7.
  EXPECT_EQ(sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 4, true), "_:+#");
  EXPECT_EQ(sparkline({0, 0, kNan, kNan, 8, 8}, 3, true), "_ #");
  EXPECT_EQ(display_width(sparkline(std::vector<double>(1001, 1.0), 32, false)), 32U);
}

class Locale : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) unsetenv(name);
  }
};

TEST_F(Locale, AsciiUnlessTheLocaleSaysUtf8) {
  EXPECT_TRUE(needs_ascii());
  setenv("LANG", "en_GB.UTF-8", 1);
  EXPECT_FALSE(needs_ascii());
  setenv("LANG", "C.utf8", 1);
  EXPECT_FALSE(needs_ascii());
  setenv("LC_ALL", "C", 1);  // counts more than LANG
  EXPECT_TRUE(needs_ascii());
  setenv("LC_ALL", "", 1);  // empty: not set
  EXPECT_FALSE(needs_ascii());
}

TEST(TextTable, AlignsByHeadingsAndTrimsTheEnd) {
  TextTable table({"name", ">n", "note"});
  table.add({"a", "5", ""});
  table.add({"longer", "1000", "x"});
  EXPECT_EQ(table.text("  "),
            "  name       n  note\n"
            "  a          5\n"
            "  longer  1000  x\n");
}

TEST(TextTable, CountsCharactersAndNotBytes) {
  EXPECT_EQ(display_width("é▁"), 2U);
  EXPECT_EQ(pad("é", 3), "é  ");
  EXPECT_EQ(pad("é", 3, true), "  é");
  EXPECT_EQ(pad("longer", 3), "longer");
}

TEST(ShortNumber, WholeOnesInFullOthersInFourDigits) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(-12345678), "-12345678");
  EXPECT_EQ(short_number(3.14159265), "3.142");
  EXPECT_EQ(short_number(0.000012345), "1.234e-05");
  EXPECT_EQ(short_number(1e20), "1e+20");
  EXPECT_EQ(short_number(kNan), "-");
  EXPECT_EQ(short_number(kInf), "inf");
}

TEST(UtcText, IsTheDateOfUnixTime) {
  EXPECT_EQ(utc_text(0), "1970-01-01 00:00:00");
  EXPECT_EQ(utc_text(1700000000.9), "2023-11-14 22:13:20");
}

}  // namespace
}  // namespace tenfold::tool
