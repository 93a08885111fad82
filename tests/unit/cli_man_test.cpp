#include <gmock/gmock.h>

#include "base/text.hpp"
#include "cli/roff.hpp"
#include "unit/cli_table.hpp"

namespace tenfold::cli {
namespace {

using test::Table;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ManPage, HasEveryOptionPresetAndExitCode) {
  const Table table;
  const std::string text = table.text({"--print-man"});
  EXPECT_THAT(text, StartsWith(".TH DDPG 1 "));
  for (const Option& option : table.options()) {
    EXPECT_THAT(text, HasSubstr("\\fB" + roff("--" + option.alias)));
  }
  for (const char* part : {".SH NAME\nddpg \\- ", ".SH SYNOPSIS", ".SH OPTIONS", ".SH PRESETS",
                           ".SH EXIT STATUS", "\\fB75\\fR\nstopped with a checkpoint",
                           "\\fB124\\fR", "learning.batch = 32 (section 7)"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, HasSubstr("Takes an integer from 1 to 4096 (transitions). Default: 64."));
  EXPECT_THAT(text, HasSubstr("In files: run.dir. Results do not depend on it."));
}

TEST(ManPage, NoLineIsTakenForARequestByAccident) {
  for (const std::string& line : base::split(Table().text({"--print-man"}), '\n')) {
    if (!line.starts_with('.')) continue;
    const std::string request = line.substr(1, line.find(' ') - 1);
    EXPECT_THAT((std::vector<std::string>{"TH", "SH", "SS", "TP", "BR", "br"}),
                ::testing::Contains(request))
        << line;
  }
}

TEST(Roff, EscapesWhatGroffWouldTakeForItsOwn) {
  EXPECT_EQ(roff("a\\b"), "a\\eb");
  EXPECT_EQ(roff("--x"), "\\-\\-x");
  EXPECT_EQ(roff(".hidden"), "\\&.hidden");
  EXPECT_EQ(roff("one\n.two"), "one\n\\&.two");
  EXPECT_EQ(roff("'tis"), "\\&\\(aqtis");
  EXPECT_EQ(roff("mu's"), "mu\\(aqs");
}

TEST(CompletionOption, PrintsTheScriptAndRefusesOtherShells) {
  const Table table;
  EXPECT_EQ(table.text({"--completion", "bash"}), table.completion("bash"));
  EXPECT_EQ(table.text({"--completion=zsh"}), table.completion("zsh"));
  EXPECT_THAT(table.refusal({"--completion", "fish"}), HasSubstr("only bash and zsh"));
  EXPECT_THAT(table.refusal({"--completion"}), HasSubstr("--completion needs a value"));
  EXPECT_THAT(table.text({"--help"}), Not(HasSubstr("--print-man")));
  EXPECT_THAT(table.text({"--help", "all"}), HasSubstr("--print-man"));
}

}  // namespace
}  // namespace tenfold::cli
