#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "base/text.hpp"

namespace tenfold::base {
namespace {

using ::testing::ElementsAre;

TEST(Nearest, FindsTypos) {
  const std::vector<std::string> words{"batch", "gamma", "total-steps", "tau"};
  EXPECT_EQ(nearest("bacth", words), "batch");
  EXPECT_EQ(nearest("total_steps", words), "total-steps");
  EXPECT_EQ(nearest("gama", words), "gamma");
  EXPECT_EQ(nearest("tau", words), "tau");
}

TEST(Nearest, OffersNothingFar) {
  const std::vector<std::string> words{"batch", "virtual-shards"};
  EXPECT_EQ(nearest("momentum", words), "");
  EXPECT_EQ(nearest("bad", words), "");        // three edits, two allowed
  EXPECT_EQ(nearest("virtualsh", words), "");  // five edits, three allowed
  EXPECT_EQ(nearest("virtual-shrd", words), "virtual-shards");
  EXPECT_EQ(nearest("batch", {}), "");
}

TEST(Nearest, PrefersTheNearer) {
  const std::vector<std::string> words{"orders", "ordered"};
  EXPECT_EQ(nearest("orderd", words), "orders");  // one edit each: the first
  EXPECT_EQ(nearest("ordere", words), "orders");
  EXPECT_EQ(nearest("orderedd", words), "ordered");
}

TEST(HumanDuration, IsClockTimeWithDaysInFront) {
  EXPECT_EQ(human_duration(0), "00:00:00");
  EXPECT_EQ(human_duration(760), "00:12:40");
  EXPECT_EQ(human_duration(59.6), "00:01:00");
  EXPECT_EQ(human_duration(86399), "23:59:59");
  EXPECT_EQ(human_duration(2 * 86400 + 3 * 3600), "2d 03:00:00");
  EXPECT_EQ(human_duration(-5), "00:00:00");
}

TEST(HumanBytes, IsDecimal) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1.2e9), "1.2 GB");
  EXPECT_EQ(human_bytes(64e6), "64.0 MB");
  EXPECT_EQ(human_bytes(999960), "1.0 MB");
}

TEST(HumanCount, HasThreeDigits) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(38100), "38.1k");
  EXPECT_EQ(human_count(1.2e6), "1.20M");
  EXPECT_EQ(human_count(9.996e3), "10.0k");
}

TEST(Printable, LeavesWhatTerminalsShow) {
  EXPECT_EQ(printable("plain text"), "plain text");
  EXPECT_EQ(printable("Gr\xC3\xBC\xC3\x9F\x65 \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "Gr\xC3\xBC\xC3\x9F\x65 \xE2\x82\xAC \xF0\x9F\x98\x80");
}

TEST(Printable, EscapesWhatTerminalsObey) {
  EXPECT_EQ(printable("a\x1b[31mb\n\t\x7f"), "a\\x1b[31mb\\x0a\\x09\\x7f");
  EXPECT_EQ(printable(std::string_view("\0x", 2)), "\\x00x");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "\\xc2\\x9b31m");  // U+009B is ESC [ in one character
}

TEST(Printable, EscapesWhatIsNotUtf8) {
  EXPECT_EQ(printable("\xFF"), "\\xff");
  EXPECT_EQ(printable("\x80"), "\\x80");
  EXPECT_EQ(printable("\xE2\x82"), "\\xe2\\x82");                    // cut off
  EXPECT_EQ(printable("\xC0\x9B"), "\\xc0\\x9b");                    // ESC, two bytes long
  EXPECT_EQ(printable("\xE0\x80\x9B"), "\\xe0\\x80\\x9b");           // ESC, three bytes long
  EXPECT_EQ(printable("\xF0\x80\x80\x9B"), "\\xf0\\x80\\x80\\x9b");  // ESC, four bytes long
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
}

TEST(Timestamp, IsNowInUtc) {
  std::tm parsed{};
  const std::string text = utc_timestamp();
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parsed);
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(*end, '\0');
  EXPECT_NEAR(static_cast<double>(timegm(&parsed)), static_cast<double>(std::time(nullptr)), 5);
  end = strptime(utc_compact().c_str(), "%Y%m%d-%H%M%S", &parsed);
  ASSERT_NE(end, nullptr);
  EXPECT_NEAR(static_cast<double>(timegm(&parsed)), static_cast<double>(std::time(nullptr)), 5);
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_THAT(split("a,b,,c", ','), ElementsAre("a", "b", "", "c"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split(",", ','), ElementsAre("", ""));
}

TEST(Join, IsSplitTurnedRound) {
  EXPECT_EQ(join(split("a,b,,c", ','), ", "), "a, b, , c");
  EXPECT_EQ(join({}, ", "), "");
}

}  // namespace
}  // namespace tenfold::base
