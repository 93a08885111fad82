#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "tenfold/arguments.hpp"
#include "tenfold/commands.hpp"

namespace tenfold::tool {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const CommandLine kLine = {
    "look",
    "RUN [OTHER]",
    1,
    2,
    "looks",
    "More words.",
    {{"lines", 'n', "N", "how many"}, {"follow", 'f', "", "go on"}, {"long", 0, "", "no letter"}}};

std::string refusal(const std::vector<std::string>& words) {
  try {
    parse_arguments(kLine, words);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    return error.what();
  }
  return "accepted";
}

TEST(Arguments, FlagsAndOperandsInAnyOrder) {
  const Arguments given = parse_arguments(kLine, {"a", "-n", "7", "b", "--follow"});
  EXPECT_THAT(given.operands, ElementsAre("a", "b"));
  EXPECT_TRUE(given.has("follow"));
  EXPECT_FALSE(given.has("long"));
  EXPECT_EQ(given.whole("lines", 20, 0, 100), 7);
  EXPECT_EQ(parse_arguments(kLine, {"a", "--lines=8"}).whole("lines", 20, 0, 100), 8);
  EXPECT_EQ(parse_arguments(kLine, {"a"}).whole("lines", 20, 0, 100), 20);
}

TEST(Arguments, AfterTwoDashesEverythingIsAnOperand) {
  EXPECT_THAT(parse_arguments(kLine, {"--", "--follow"}).operands, ElementsAre("--follow"));
}

TEST(Arguments, WhatIsWrongIsNamed) {
  EXPECT_THAT(refusal({}), HasSubstr("RUN [OTHER] is missing"));
  EXPECT_THAT(refusal({"a", "b", "c"}), HasSubstr("'c' is one argument too many"));
  EXPECT_THAT(refusal({"a", "--folow"}), HasSubstr("Did you mean --follow?"));
  EXPECT_THAT(refusal({"a", "--frobnicate"}), HasSubstr("`tenfold look --help`"));
  EXPECT_THAT(refusal({"a", "--lines"}), HasSubstr("lines"));
  EXPECT_THAT(refusal({"a", "--lines="}), HasSubstr("lines"));
  // No guessing: a shortened flag is another flag.
  EXPECT_THAT(refusal({"a", "--follo"}), HasSubstr("no option '--follo'"));
  EXPECT_THAT(refusal({"a", "--fol\x1b[31m"}), HasSubstr("\\x1b"));
}

TEST(Arguments, NumbersAreWholeAndInRange) {
  for (const char* wrong : {"x", "1.5", "-1", "101", "7 ", "99999999999999999999"}) {
    const Arguments given = parse_arguments(kLine, {"a", std::string("--lines=") + wrong});
    EXPECT_THROW(given.whole("lines", 20, 0, 100), base::Error) << wrong;
  }
}

TEST(Arguments, UsageShowsEveryFlag) {
  const std::string text = usage_text(kLine);
  EXPECT_THAT(text, HasSubstr("usage: tenfold look [options] RUN [OTHER]\n"));
  EXPECT_THAT(text, HasSubstr("  -n, --lines N        how many\n"));
  EXPECT_THAT(text, HasSubstr("      --long           no letter\n"));
}

TEST(Commands, UsageOfEachFitsATerminal) {
  for (const Command& each : commands()) {
    const std::string text = usage_text(each.line);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      EXPECT_LE(end - begin, 88U) << text.substr(begin, end - begin);
      begin = end + 1;
    }
  }
}

}  // namespace
}  // namespace tenfold::tool
